"""The statements by which reviews of accesses are opened: each finds lines of one day of the access log.

`looks` are the lines of the day, each with the check of many persons it was written by, if any; `acts` are what was
done: a look by itself, or a check as a whole. A check counts where it was worked off, one act of whoever asked for it
at the time at which it was asked for; every later fetch of its answers is another act.
"""

from records.enums import ReviewCause

# The check of many persons that has written a line: while it was worked off, or when its answers were fetched again.
BATCH = """(
    SELECT b.id FROM records_batchcheck b WHERE b.agency_id = l.agency_id AND b.case_number = l.case_number
        AND b.purpose_id = l.purpose AND b.state = ANY(%(worked_off)s)
        AND b.asked_by_id IS NOT DISTINCT FROM l.actor_id AND b.decided_at <= l.at
        AND (l.fields @> %(again)s::varchar[] OR (
            (l.result = 'refused' OR l.fields @> %(yes_or_no)s::varchar[]) AND (b.done_at IS NULL OR l.at <= b.done_at)
        ))
    ORDER BY b.id LIMIT 1
)"""
AGAIN_AT = "CASE WHEN l.fields @> %(again)s::varchar[] THEN l.at END"
# How many acts lines are that bear `batch` and `again_at`.
ACTS = "count(*) FILTER (WHERE batch IS NULL) + count(DISTINCT (batch, again_at)) FILTER (WHERE batch IS NOT NULL)"
OPEN = f"""
WITH lines AS (
    SELECT l.id, l.at, l.actor_id, l.agency_id, l.subject_ref, l.authority, l.case_number, l.purpose, l.door,
        {BATCH} AS batch, {AGAIN_AT} AS again_at
    FROM core_accesslog l
    WHERE l.at >= %(start)s AND l.at < %(end)s AND l.agency_id IS NOT NULL AND l.authority = ANY(%(by_staff)s)
        AND l.purpose <> %(exchange)s
), looks AS (
    SELECT k.*, coalesce(k.again_at, b.asked_at, k.at) AS acted_at
    FROM lines k LEFT JOIN records_batchcheck b ON b.id = k.batch
), acts AS (
    SELECT DISTINCT ON (batch, again_at, CASE WHEN batch IS NULL THEN id END) * FROM looks
    ORDER BY batch, again_at, CASE WHEN batch IS NULL THEN id END, at, id
), {{found}}
INSERT INTO records_accessreview
    (access_id, access_at, subject_id, actor_id, agency_id, cause, number, state, opened_at, due_on)
SELECT f.id, f.at, s.id, f.actor_id, f.agency_id, %(cause)s, f.number, 'open', now(), %(due_on)s
FROM found f LEFT JOIN records_subject s ON s.id = f.subject_ref
ON CONFLICT (access_id, cause) WHERE complainant_id IS NULL DO NOTHING
RETURNING id
"""  # noqa: S608 - the parts are ours
# At least one of every unit and day, at most so many; which ones nobody can know beforehand, and every run the same.
# Checks of many, and what was done to accounts at the window, are drawn by themselves: looks beside them, however many,
# keep none out.
SAMPLE = """
ranked AS (
    SELECT *, count(*) OVER drawn AS total, row_number() OVER (drawn ORDER BY md5(id::text || %(salt)s)) AS place
    FROM acts WINDOW drawn AS (PARTITION BY agency_id, purpose = %(window_act)s, batch IS NOT NULL)
), found AS (
    SELECT *, 1 AS number FROM ranked
    WHERE place <= least(%(most)s, greatest(1, ceil(total * %(percent)s / 100.0)))
)
"""
VOLUME = f"""
counts AS (
    SELECT actor_id, count(*) AS n FROM acts WHERE actor_id IS NOT NULL GROUP BY actor_id
), usual AS (
    SELECT actor_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY n) AS median FROM (
        SELECT actor_id, {ACTS} AS n FROM (
            SELECT l.actor_id, (l.at AT TIME ZONE %(zone)s)::date AS day, {BATCH} AS batch, {AGAIN_AT} AS again_at
            FROM core_accesslog l
            WHERE l.at >= %(history)s AND l.at < %(start)s AND l.agency_id IS NOT NULL
                AND l.authority = ANY(%(by_staff)s)
                AND l.actor_id IN (SELECT actor_id FROM counts WHERE n > %(floor)s AND n <= %(ceiling)s)
        ) before GROUP BY actor_id, day
    ) days GROUP BY actor_id
), found AS (
    SELECT DISTINCT ON (k.actor_id) k.*, c.n AS number
    FROM acts k JOIN counts c USING (actor_id) LEFT JOIN usual u USING (actor_id)
    WHERE c.n > %(ceiling)s OR (c.n > %(floor)s AND c.n > %(factor)s * u.median)
    ORDER BY k.actor_id, k.at DESC, k.id DESC
)
"""  # noqa: S608 - the parts are ours
# What systems of a unit ask through the interface, counted by the unit.
MACHINE_VOLUME = f"""
counts AS (
    SELECT agency_id, count(*) AS n FROM acts
    WHERE actor_id IS NULL AND door = %(interface)s AND authority = ANY(%(queries)s) GROUP BY agency_id
), usual AS (
    SELECT agency_id, percentile_cont(0.5) WITHIN GROUP (ORDER BY n) AS median FROM (
        SELECT agency_id, {ACTS} AS n FROM (
            SELECT l.agency_id, (l.at AT TIME ZONE %(zone)s)::date AS day, {BATCH} AS batch, {AGAIN_AT} AS again_at
            FROM core_accesslog l
            WHERE l.at >= %(history)s AND l.at < %(start)s AND l.actor_id IS NULL AND l.door = %(interface)s
                AND l.authority = ANY(%(queries)s) AND l.purpose <> %(exchange)s AND l.agency_id IN (
                    SELECT agency_id FROM counts WHERE n > %(machine_floor)s AND n <= %(machine_ceiling)s
                )
        ) before GROUP BY agency_id, day
    ) days GROUP BY agency_id
), found AS (
    SELECT DISTINCT ON (k.agency_id) k.*, c.n AS number
    FROM acts k JOIN counts c USING (agency_id) LEFT JOIN usual u USING (agency_id)
    WHERE k.actor_id IS NULL AND k.door = %(interface)s AND k.authority = ANY(%(queries)s)
        AND (c.n > %(machine_ceiling)s OR (c.n > %(machine_floor)s AND c.n > %(machine_factor)s * u.median))
    ORDER BY k.agency_id, k.at DESC, k.id DESC
)
"""  # noqa: S608 - the parts are ours
# A check that was asked for on another day and approved on this one is judged by its hour alone.
NIGHT = """
found AS (
    SELECT DISTINCT ON (actor_id) *, count(*) OVER (PARTITION BY actor_id) AS number FROM acts
    WHERE actor_id IS NOT NULL AND (
        (NOT %(worked)s AND acted_at >= %(start)s AND acted_at < %(end)s)
        OR extract(hour FROM acted_at AT TIME ZONE %(zone)s) < %(from)s
        OR extract(hour FROM acted_at AT TIME ZONE %(zone)s) >= %(until)s
    )
    ORDER BY actor_id, at DESC, id DESC
)
"""
OF_SOMEBODY = """
{before}found AS (
    SELECT DISTINCT ON (k.actor_id, k.subject_ref) k.*,
        count(*) OVER (PARTITION BY k.actor_id, k.subject_ref) AS number
    FROM looks k JOIN records_realnamebinding own ON own.user_id = k.actor_id
    WHERE {tied}
    ORDER BY k.actor_id, k.subject_ref, k.at DESC, k.id DESC
)
"""
OWN = OF_SOMEBODY.format(before="", tied="own.subject_id = k.subject_ref")
RELATIVE = OF_SOMEBODY.format(
    before="",
    tied="""own.subject_id <> k.subject_ref AND EXISTS (
        SELECT 1 FROM records_representation r WHERE r.state = ANY(%(stood)s) AND (
            (r.person_id = k.subject_ref AND r.representative_id = own.subject_id)
            OR (r.representative_id = k.subject_ref AND r.person_id = own.subject_id)
        )
    )""",
)
COLLEAGUE = OF_SOMEBODY.format(
    before="""ties AS NOT MATERIALIZED (
        SELECT person_id AS person, organisation_id AS organisation FROM records_affiliation
        WHERE role = ANY(%(works_there)s) AND valid_from <= %(day)s
            AND (valid_until IS NULL OR valid_until > %(day)s)
        UNION ALL
        SELECT subject_id, employer_id FROM records_keygroupmembership
        WHERE employer_id IS NOT NULL AND valid_from <= %(day)s AND (valid_until IS NULL OR valid_until > %(day)s)
    ), """,
    tied="""own.subject_id <> k.subject_ref AND k.authority = ANY(%(queries)s) AND (
        EXISTS (
            SELECT 1 FROM records_realnamebinding other JOIN core_membership m ON m.user_id = other.user_id
            WHERE other.subject_id = k.subject_ref AND m.agency_id = k.agency_id AND m.valid_from <= %(day)s
                AND (m.valid_until IS NULL OR m.valid_until > %(day)s)
        ) OR EXISTS (
            SELECT 1 FROM ties mine JOIN ties theirs USING (organisation)
            WHERE mine.person = own.subject_id AND theirs.person = k.subject_ref
        )
    )""",
)
NO_CASE = """
found AS (
    SELECT DISTINCT ON (agency_id, actor_id) *, count(*) OVER (PARTITION BY agency_id, actor_id) AS number FROM looks
    WHERE case_number = '' AND authority = ANY(%(queries)s)
    ORDER BY agency_id, actor_id, at DESC, id DESC
)
"""
# Each check of many counts as one person more.
ONE_CASE_MANY_PERSONS = f"""
cases AS (
    SELECT DISTINCT agency_id, case_number FROM acts WHERE case_number <> '' AND authority = ANY(%(queries)s)
), crowded AS (
    SELECT agency_id, case_number,
        count(DISTINCT subject_ref) FILTER (WHERE batch IS NULL) + count(DISTINCT batch) AS number
    FROM (
        SELECT l.agency_id, l.case_number, l.subject_ref, {BATCH} AS batch
        FROM core_accesslog l JOIN cases USING (agency_id, case_number)
        WHERE l.at >= %(history)s AND l.at < %(end)s AND l.authority = ANY(%(queries)s)
    ) asked GROUP BY agency_id, case_number
), found AS (
    SELECT DISTINCT ON (k.agency_id, k.case_number) k.*, c.number
    FROM acts k JOIN crowded c USING (agency_id, case_number)
    WHERE k.authority = ANY(%(queries)s) AND c.number > %(most_persons)s
    ORDER BY k.agency_id, k.case_number, k.at DESC, k.id DESC
)
"""  # noqa: S608 - the parts are ours
# A list most of whose persons have allowed nothing was no list of persons whom the unit deals with.
UNCOVERED = """
uncovered AS (
    SELECT r.batch_id AS batch, count(*) FILTER (WHERE r.problem = %(no_consent)s) AS number
    FROM records_batchcheckrow r
    WHERE r.batch_id IN (
        SELECT b.id FROM records_batchcheck b JOIN acts k ON k.batch = b.id AND k.again_at IS NULL
        WHERE b.done_at >= %(start)s AND b.done_at < %(end)s AND b.rows >= %(list_rows)s
    )
    GROUP BY r.batch_id
    HAVING count(*) FILTER (WHERE r.problem = %(no_consent)s) * 100 > count(*) * %(list_percent)s
), found AS (
    SELECT k.*, u.number FROM acts k JOIN uncovered u USING (batch) WHERE k.again_at IS NULL
)
"""
FOUND: tuple[tuple[ReviewCause, str], ...] = (
    (ReviewCause.SAMPLE, SAMPLE),
    (ReviewCause.VOLUME, VOLUME),
    (ReviewCause.VOLUME, MACHINE_VOLUME),
    (ReviewCause.NIGHT, NIGHT),
    (ReviewCause.OWN, OWN),
    (ReviewCause.RELATIVE, RELATIVE),
    (ReviewCause.COLLEAGUE, COLLEAGUE),
    (ReviewCause.NO_CASE, NO_CASE),
    (ReviewCause.NO_CASE, ONE_CASE_MANY_PERSONS),
    (ReviewCause.UNCOVERED, UNCOVERED),
)
