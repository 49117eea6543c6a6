-- Quartiles of the latest value until 2020-01-01 by sex and decade of age, of persons under observation then.
WITH observed AS (
  SELECT p.person_id, CASE p.gender_concept_id WHEN 8507 THEN 'male' ELSE 'female' END AS sex,
         2020 - p.year_of_birth - CASE WHEN p.month_of_birth > 1 OR p.day_of_birth > 1 THEN 1 ELSE 0 END AS age
  FROM observation_period o JOIN person p ON p.person_id = o.person_id
  WHERE o.observation_period_start_date <= DATE '2020-01-01' AND o.observation_period_end_date >= DATE '2020-01-01'
), latest AS (
  SELECT DISTINCT ON (person_id) person_id, value_as_number AS value FROM measurement
  WHERE measurement_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001200036)
    AND measurement_date <= DATE '2020-01-01' AND value_as_number IS NOT NULL
  ORDER BY person_id, measurement_date DESC, value_as_number DESC
), quartiles AS (
  SELECT sex, CASE WHEN age >= 80 THEN '80 and over' ELSE floor(age / 10)::INTEGER * 10 || '-' || floor(age / 10)::INTEGER * 10 + 9 END AS age,
         percentile_cont(0.25) WITHIN GROUP (ORDER BY value) AS lower, percentile_cont(0.5) WITHIN GROUP (ORDER BY value) AS median,
         percentile_cont(0.75) WITHIN GROUP (ORDER BY value) AS upper
  FROM observed JOIN latest USING (person_id) GROUP BY 1, 2
)
SELECT sex, age, 'quantile 0.25' AS quantile, lower::DECIMAL(12, 4) AS value FROM quartiles
UNION ALL SELECT sex, age, 'median', median::DECIMAL(12, 4) FROM quartiles
UNION ALL SELECT sex, age, 'quantile 0.75', upper::DECIMAL(12, 4) FROM quartiles
