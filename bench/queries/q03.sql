-- New users of a medicine: first exposure, 365 days observed before it, aged 18 or over.
WITH first_use AS (
  SELECT person_id, min(drug_exposure_start_date) AS index_date FROM drug_exposure
  WHERE drug_concept_id IN (SELECT descendant_concept_id FROM concept_ancestor WHERE ancestor_concept_id = 2001100181)
  GROUP BY person_id
)
SELECT count(*) FROM first_use f
JOIN observation_period o ON o.person_id = f.person_id
JOIN person p ON p.person_id = f.person_id
WHERE f.index_date >= o.observation_period_start_date + 365 AND f.index_date <= o.observation_period_end_date
  AND extract(year FROM f.index_date) - p.year_of_birth >= 18
