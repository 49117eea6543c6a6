-- Time from the first A (365 days observed before it) to the next B, in steps of 30 days over five years: at risk when the step
-- begins, and events. Days after the end of observation do not count.
WITH a AS (
  SELECT person_id, min(condition_start_date) AS day FROM condition_occurrence
  WHERE condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000149)
  GROUP BY person_id
), entry AS (
  SELECT a.person_id, a.day, least(o.observation_period_end_date, a.day + 1825) AS last_day
  FROM a JOIN observation_period o ON o.person_id = a.person_id
  WHERE a.day >= o.observation_period_start_date + 365 AND a.day <= o.observation_period_end_date
), b AS (
  SELECT e.person_id, min(c.condition_start_date) AS day FROM entry e JOIN condition_occurrence c ON c.person_id = e.person_id
  WHERE c.condition_start_date > e.day
    AND c.condition_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001000126)
  GROUP BY e.person_id
), steps AS (
  SELECT floor((least(e.last_day, coalesce(b.day, e.last_day)) - e.day - 1) / 30)::INTEGER AS step,
         count(*) AS leaving, count(*) FILTER (WHERE b.day <= e.last_day) AS events
  FROM entry e LEFT JOIN b ON b.person_id = e.person_id WHERE e.last_day > e.day GROUP BY 1
)
SELECT 'all' AS everybody, 'day ' || least(30 * g.step + 30, 1825) AS until,
       sum(leaving) OVER (ORDER BY g.step DESC)::BIGINT AS at_risk, coalesce(events, 0) AS events
FROM generate_series(0, 60) AS g(step) LEFT JOIN steps USING (step)
