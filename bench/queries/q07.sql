-- Persons under observation on 2020-01-01 by where their latest value of a measurement until then lies: under 50, 50 to under
-- 70, 70 and over, or none. Of several on the latest day the greatest counts.
WITH observed AS (
  SELECT person_id FROM observation_period
  WHERE observation_period_start_date <= DATE '2020-01-01' AND observation_period_end_date >= DATE '2020-01-01'
), latest AS (
  SELECT DISTINCT ON (person_id) person_id, value_as_number AS value FROM measurement
  WHERE measurement_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001200036)
    AND measurement_date <= DATE '2020-01-01' AND value_as_number IS NOT NULL
  ORDER BY person_id, measurement_date DESC, value_as_number DESC
)
SELECT CASE WHEN value < 50 THEN 'under 50' WHEN value < 70 THEN '50 to under 70' WHEN value >= 70 THEN '70 and over' ELSE 'unknown' END,
       count(*)
FROM observed LEFT JOIN latest USING (person_id)
GROUP BY 1
