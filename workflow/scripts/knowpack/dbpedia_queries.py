"""The queries that make questions of a dump's triples, in the order in which they run (DuckDB's SQL)."""

# Objects that answer no question: pages about pages, and what Wikipedia's infoboxes link by mistake.
PAGES = "^(Lists?|Index|Outline|Timeline|Glossary) of |^(Category|Template|File|Portal|Wikipedia):"
DULL = "|".join(
    [
        "^battery: (KWh|Kilowatt-hour|Watt-hour)$",
        "^canton: Cantons of ",
        "^college: .* basketball$",
        "^computingPlatform: Cross-platform( software)?$",
        "^deathCause: (Death|Cause of death)$",
        "^deathCause: (Death|Killing|Murder) of ",
        "^ethnicGroup: Ethnic groups ",
        "^honours: Hono(u)?rs of ",
        "^island: Islands?$",
        "^militaryRank: Military ranks? ",
        "^notableCommander: (Major general|General|Colonel|Lieutenant)",
        "^operatingSystem: .*system software$",
        "^presenter: .* Awards?$",
        "^symptom: Symptoms?$",
        "^typeOfElectrification: Volts?$",
    ]
)
FAULTS = ("not_an_entity", "generated_node", "list_page", "cleaning_rule", "answer_in_question")

LINES = """
CREATE TABLE lines (whole BOOLEAN, number SMALLINT, subject_id UBIGINT, object_id UBIGINT,
    subject VARCHAR, relation VARCHAR, object VARCHAR)
"""
# An entity is known by its hash of 64 bits; texts are kept of what can be asked, of relations that
# have no template, and of lines that are no triple.
LOAD = """
INSERT INTO lines
WITH words AS (
    SELECT *, getvariable('asked')[relation] AS number,
        (starts_with(subject, '<') AND ends_with(subject, '>')
        AND starts_with(relation, '<') AND ends_with(relation, '>')
        AND starts_with(object, '<') AND ends_with(object, '>') AND dot = '.') IS TRUE AS whole
    FROM read_csv($path, columns = {
        'subject': 'VARCHAR', 'relation': 'VARCHAR', 'object': 'VARCHAR', 'dot': 'VARCHAR'
    }, delim = ' ', quote = '', escape = '', new_line = $new_line, header = false,
    auto_detect = false, store_rejects = true, rejects_table = 'rejects')
)
SELECT whole, number, hash(subject), hash(object),
       CASE WHEN NOT whole THEN concat_ws(' ', subject, relation, object, dot)
            WHEN number IS NOT NULL THEN subject END,
       CASE WHEN number IS NULL THEN relation END,
       CASE WHEN number IS NOT NULL THEN object END
FROM words
"""
# A constant map, which is looked up in half the time of a join.
ASKED = "SET VARIABLE asked = (SELECT map(list(relation), list(number)) FROM templates)"
# A line of other than four words is a reject, once or more often.
OTHERS = """
SELECT kind, count(*), list(text ORDER BY text)[:$shown] FROM (
    SELECT text, CASE
        WHEN starts_with(text, '#') THEN 'comment'
        WHEN regexp_matches(text, '^<[^>]*> <[^>]*> ".* \\.$') THEN 'literal'
        ELSE 'malformed' END AS kind
    FROM (
        SELECT trim(any_value(csv_line), E'\\n ') AS text FROM rejects GROUP BY scan_id, line
        UNION ALL
        SELECT subject FROM lines WHERE NOT whole
    )
) GROUP BY kind
"""
POPULARITY = """
CREATE TABLE entities AS
WITH counted AS (
    SELECT id, count(*) AS score
    FROM (SELECT unnest([subject_id, object_id]) AS id FROM lines WHERE whole) GROUP BY id
), below AS (
    SELECT score, sum(sum(score)) OVER (ORDER BY score) AS mass, sum(sum(score)) OVER () AS everything
    FROM counted GROUP BY score
), bounds AS (
    SELECT min(score) FILTER (3 * mass >= everything) AS tail,
           min(score) FILTER (3 * mass >= 2 * everything) AS torso
    FROM below
)
SELECT id AS subject_id, score,
       CASE WHEN score <= tail THEN 'tail' WHEN score <= torso THEN 'torso' ELSE 'head' END AS popularity
FROM counted, bounds
"""
# Up to which place subjects are looked at. A subject has another place in every relation, lest all
# relations ask about the same ones.
STRATA = """
CREATE TABLE strata AS
SELECT number, popularity, count(*) AS triples, hash($seed || number) AS salt,
       CASE WHEN triples > $examined THEN $examined / triples * 18446744073709551615 END AS bound
FROM lines JOIN entities USING (subject_id) WHERE whole AND number IS NOT NULL
GROUP BY number, popularity
"""
PAIRS = """
CREATE TABLE pairs AS
SELECT subject, number, popularity, any_value(score) AS score, any_value(place) AS place,
       min(object) AS object, count(*) AS triples, min(object) <> max(object) AS several
FROM (
    SELECT *, xor(subject_id, salt) AS place
    FROM lines JOIN entities USING (subject_id) JOIN strata USING (number, popularity) WHERE whole
) WHERE bound IS NULL OR place <= bound
GROUP BY subject, number, popularity
"""
JUDGED = f"""
CREATE TABLE judged AS
WITH named AS (
    SELECT pairs.* REPLACE (
               replace(url_decode(subject[$start:-2]), '_', ' ') AS subject,
               replace(url_decode(object[$start:-2]), '_', ' ') AS object),
           starts_with(subject, $entities) AND starts_with(object, $entities) AS is_entity,
           contains(subject, '__') OR contains(object, '__') AS generated
    FROM pairs WHERE NOT several
), asked AS (
    SELECT *, replace(template, $slot, subject) AS question,
           regexp_replace(object, ' \\([^()]*\\)$', '') AS answer
    FROM named JOIN templates USING (number)
)
SELECT name, subject, object, question, answer, score, popularity, place, CASE
    WHEN NOT is_entity THEN 'not_an_entity'
    WHEN generated THEN 'generated_node'
    WHEN regexp_matches(subject, '{PAGES}') OR regexp_matches(object, '{PAGES}') THEN 'list_page'
    WHEN dull AND regexp_matches(name || ': ' || object, '{DULL}') THEN 'cleaning_rule'
    WHEN answer = '' OR contains(lower(question), lower(answer)) THEN 'answer_in_question'
    END AS fault
FROM asked
"""
DRAWN = """
SELECT subject, name AS relation, object, question, [answer] AS answers,
       score::DOUBLE AS score, popularity
FROM judged WHERE fault IS NULL
QUALIFY row_number() OVER (PARTITION BY name, popularity ORDER BY place, subject) <= $most
ORDER BY relation, popularity, place, subject
"""
