#!/usr/bin/env bash
# Cancels the jobs of the cluster that up.sh started in a folder, ends its daemons by their recorded
# pids, and takes away what it put elsewhere. Nothing happens where there is none.
set -uo pipefail
PATH+=:/usr/sbin:/sbin # as in up.sh
dir=$(realpath -m "${1:?usage: down.sh <folder>}")
[[ -d $dir/run ]] || exit 0
export SLURM_CONF=$dir/etc/slurm.conf

alive() { # <name>: the process written down still runs, and is the same one
  local pid since
  read -r pid since 2>/dev/null <"$dir/run/$1.pid" &&
    [[ $(awk '$3 != "Z" {print $22}' "/proc/$pid/stat" 2>/dev/null) == "$since" ]]
}
# Jobs outlive slurmd.
if alive slurmctld && alive slurmd; then
  timeout 20 scancel --user=root
  for ((i = 0; i < 200; i++)); do
    [[ $(timeout 10 squeue -h) ]] || break
    sleep 0.1
  done
fi
for name in slurmd slurmctld slurmdbd mariadbd munged; do
  for ((i = 0; i < 300; i++)); do
    alive "$name" || break
    signal=TERM && ((i < 290)) || signal=KILL
    ((i % 290)) || kill -"$signal" "$(cut -d' ' -f1 "$dir/run/$name.pid")"
    sleep 0.1
  done
  rm -f "$dir/run/$name.pid"
done
for name in slurm gres; do
  link=/etc/slurm/$name.conf
  [[ $(readlink "$link") != "$dir/etc/$name.conf" ]] || rm "$link"
done
if grep -q "# knowpack's test cluster$" /etc/hosts; then
  hosts=$(grep -v "# knowpack's test cluster$" /etc/hosts)
  echo "$hosts" >/etc/hosts
fi
rm -rf "$dir/run"
