#!/usr/bin/env bash
# Starts a Slurm of one node on this machine: munge, accounting (MariaDB, slurmdbd), slurmctld, slurmd.
# As root on Debian or Ubuntu, where apt installs what is missing. No systemd, no cgroups; it listens
# on 127.0.0.1 only. Everything lies in the folder given; outside it are links in /etc/slurm and, where
# the host's name is not 127.0.0.1, a line in /etc/hosts. down.sh takes all of it away.
# Exit status 77: it cannot run here, and the last line says why.
set -euo pipefail
PATH+=:/usr/sbin:/sbin # where `su` leaves them out
dir=$(realpath -m "${1:?usage: up.sh <folder>}")
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
port=17817
cannot() { echo "no Slurm here: $*" >&2 && exit 77; }
fail() { echo "slurm: $*" >&2 && tail -qn 5 "$dir"/log/* >&2 && exit 1; }

[[ $(id -u) == 0 ]] || cannot "only root can start it"
[[ ${#dir} -le 80 ]] || cannot "$dir is too long for the path of a socket"
if old=$(readlink /etc/slurm/slurm.conf) && [[ -e ${old%/etc/slurm.conf}/run/owner ]]; then
  old=${old%/etc/slurm.conf}
  ! kill -0 "$(<"$old/run/owner")" 2>/dev/null || cannot "other tests have theirs in $old"
  "$here/down.sh" "$old" # of tests that were killed
fi
[[ ! -e /etc/slurm/slurm.conf ]] || cannot "/etc/slurm/slurm.conf: this machine has a Slurm already"
packages=()
for pair in munged:munge slurmctld:slurmctld slurmd:slurmd sbatch:slurm-client slurmdbd:slurmdbd \
  mariadbd:mariadb-server-core mariadb:mariadb-client-core; do
  command -v "${pair%:*}" >/dev/null || packages+=("${pair#*:}")
done
mkdir -p "$dir"/{etc,state,spool,log,run,dev}
echo $PPID >"$dir/run/owner"
chmod 755 "$dir" "$dir"/* # munge refuses folders that others may write to
if ((${#packages[@]})); then
  command -v apt-get >/dev/null || cannot "there is no apt-get to install ${packages[*]}"
  # Run level 1: the packages start none of their services.
  apt() { RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get "$@" &>>"$dir/log/apt"; }
  install=(install -y --no-install-recommends "${packages[@]}")
  apt "${install[@]}" || { apt update && apt "${install[@]}"; } ||
    cannot "apt-get could not install ${packages[*]}: $(tail -n 1 "$dir/log/apt")"
fi

export SLURM_CONF=$dir/etc/slurm.conf
trap 'rc=$?; ((rc == 0)) || "$here/down.sh" "$dir"; exit $rc' EXIT
host=$(uname -n) && host=${host%%.*}
# srun listens at the address of the host's name, and is called back at 127.0.0.1.
if [[ $(getent ahostsv4 "$host" | awk 'NR == 1 {print $1}') != 127.0.0.1 ]]; then
  hosts="127.0.0.1 $host # knowpack's test cluster"$'\n'$(</etc/hosts)
  echo "$hosts" >/etc/hosts || cannot "$host must be 127.0.0.1 in /etc/hosts"
fi
# No name is resolved on a machine whose only address is 127.0.0.1.
getent ahostsv4 localhost >/dev/null || ip addr add 127.0.0.2/8 dev lo

head -c 1024 /dev/urandom >"$dir/etc/munge.key" && chmod 400 "$dir/etc/munge.key"
# GPUs without a GPU: two devices, as plain files would be left out of CUDA_VISIBLE_DEVICES.
for n in 0 1; do
  [[ -c $dir/dev/gpu$n ]] || mknod "$dir/dev/gpu$n" c 1 3 || cannot "it may not make device files"
done
echo "NodeName=$host Name=gpu Count=2 File=$dir/dev/gpu[0-1]" >"$dir/etc/gres.conf"
cat >"$SLURM_CONF" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthInfo=socket=$dir/run/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/run/slurmctld.own
SlurmdPidFile=$dir/run/slurmd.own
SlurmctldLogFile=$dir/log/slurmctld
SlurmdLogFile=$dir/log/slurmd
# Shared pages count once; a job that outgrows its memory is killed.
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill,UsePss
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
PriorityType=priority/basic
EnforcePartLimits=ALL
JobRequeue=0
MinJobAge=86400
KillWait=5
PropagateResourceLimits=NONE
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=$host
AccountingStoragePort=$((port + 2))
AccountingStoragePass=$dir/run/munge.socket
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
GresTypes=gpu
# More than the machine has: jobs need not wait for each other's cores.
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=16 RealMemory=65536 Gres=gpu:2
PartitionName=cpu Nodes=$host Default=YES MaxTime=1-0 State=UP
PartitionName=gpu Nodes=$host MaxTime=1-0 State=UP
CONF
(umask 077 && cat >"$dir/etc/slurmdbd.conf") <<CONF
AuthInfo=socket=$dir/run/munge.socket
DbdHost=$host
DbdAddr=127.0.0.1
DbdPort=$((port + 2))
CommunicationParameters=NoInAddrAny
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
LogFile=$dir/log/slurmdbd
PidFile=$dir/run/slurmdbd.own
CONF
# The Slurm executor clears SLURM_CONF before its inner srun, which then looks here.
mkdir -p /etc/slurm && ln -sf "$dir"/etc/{slurm,gres}.conf /etc/slurm/

start() { # <name> <command>...: in a session of its own; its pid and start time are written down
  setsid "${@:2}" </dev/null &>>"$dir/log/$1.out" &
  echo "$! $(awk '{print $22}' "/proc/$!/stat")" >"$dir/run/$1.pid"
}
await() { # <name> <command>...: until the command succeeds
  for ((i = 0; i < 600; i++)); do
    "${@:2}" &>"$dir/log/await" && return
    [[ -e /proc/$(cut -d' ' -f1 "$dir/run/$1.pid") ]] || fail "$1 ended"
    sleep 0.1
  done
  fail "$1 did not answer within a minute"
}
start munged munged --foreground --key-file="$dir/etc/munge.key" --socket="$dir/run/munge.socket" \
  --pid-file="$dir/run/munged.own" --log-file="$dir/log/munged" --seed-file="$dir/state/munged.seed"
await munged munge -n -S "$dir/run/munge.socket"
[[ -d $dir/mysql/mysql ]] || mariadb-install-db --no-defaults --user=root --datadir="$dir/mysql" \
  --auth-root-authentication-method=normal --skip-test-db &>"$dir/log/mariadb-install" ||
  fail "mariadb-install-db failed"
start mariadbd mariadbd --no-defaults --user=root --datadir="$dir/mysql" --skip-networking \
  --socket="$dir/run/mysql.socket" --pid-file="$dir/run/mariadbd.own"
await mariadbd mariadb --no-defaults -uroot -S "$dir/run/mysql.socket" \
  -e "create database if not exists slurm_acct_db"
start slurmdbd env MYSQL_UNIX_PORT="$dir/run/mysql.socket" slurmdbd -D
await slurmdbd timeout 10 sacctmgr -n list cluster
sacctmgr -i add cluster test >>"$dir/log/sacctmgr"
sacctmgr -i add account test cluster=test >>"$dir/log/sacctmgr"
sacctmgr -i add user root account=test defaultaccount=test >>"$dir/log/sacctmgr"
start slurmctld slurmctld -D
await slurmctld timeout 10 scontrol ping
start slurmd slurmd -D
await slurmd timeout 20 srun -Q -p gpu --gpus=2 --mem=1 -t 1 true
