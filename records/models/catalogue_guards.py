"""What the triggers of the catalogue refuse, by whatever road it comes."""

# Never collected: Regulation on the credit-reporting industry, article 14; other biometrics are as sensitive by the
# Personal Information Protection Law, article 28. Spaces of a name may be signs in a code. Things and authorities that
# are only called after such data pass: a lock, modified crops, a centre for disease control.
FORBIDDEN_DATA = (
    "宗教|(?<!转)基因|遗传|指纹(?!锁)|掌纹|掌静脉|指静脉|虹膜|视网膜|人脸|面部(识别|特征|图像)|声纹|步态|血型|疾病(?!预防控制)|病史|病历"
    "|religio|genetic(?!ally[ _-]modified)|genom|fingerprint(?![ _-]?lock)|palm[ _-]?print|biometr"
    "|blood[ _-]?(type|group)|medical[ _-]?(history|record)"
    "|disease(?![ _-](prevention|control))|(^|[^a-z])(dna|iris|gait|retinal?)([^a-z]|$)|finger[ _-]?vein"
    "|facial|(^|[^a-z])face[ _-]?(print|recognition|image)|voice[ _-]?print"
)

BASIS_STAYS_CONFIRMED = """
IF OLD.confirmed AND NOT NEW.confirmed AND EXISTS (
    SELECT 1 FROM records_entryversion v WHERE v.state = 'in_force'
    AND OLD.code IN (v.legal_basis_id, v.publication_basis_id, v.person_publication_basis_id)
) THEN
    RAISE EXCEPTION 'a catalogue version in force rests on this legal basis' USING ERRCODE = 'CR004';
END IF;
RETURN NEW;
"""

# A draft is edited freely. In review it stands still; publishing signs it, and may move its first day to the day of
# publication. Afterwards only its end is set, as long as that has not come.
VERSION_IMMUTABLE = """
IF OLD.state = 'in_review' AND NEW.state = 'in_force' THEN
    free := free || ARRAY['approved_by_id', 'approved_at', 'valid_from'];
END IF;
IF OLD.state = 'in_force' AND (OLD.valid_until IS NULL OR OLD.valid_until > today OR NEW.state <> 'in_force') THEN
    free := free || ARRAY['valid_until'];
END IF;
IF OLD.state <> 'draft' AND to_jsonb(NEW) - free <> to_jsonb(OLD) - free THEN
    RAISE EXCEPTION 'a catalogue version stands still from its review on' USING ERRCODE = 'CR003';
END IF;
IF OLD.state <> NEW.state AND NOT (
    OLD.state = 'draft'
    OR OLD.state = 'in_review' AND NEW.state IN ('draft', 'in_force')
    OR OLD.state = 'in_force' AND NEW.state = 'retired'
    OR OLD.state = 'in_force' AND NEW.state = 'withdrawn' AND OLD.valid_from > today
) THEN
    RAISE EXCEPTION 'a catalogue version never goes back' USING ERRCODE = 'CR003';
END IF;
RETURN NEW;
"""
VERSION_IMMUTABLE_KNOWS = [
    ("free", "text[] := ARRAY['state']"),
    ("today", "date := (now() AT TIME ZONE 'Asia/Shanghai')::date"),
]

PUBLISHED_BY_ANOTHER = """
IF NEW.state IN ('in_force', 'retired') AND NEW.approved_by_id = ANY(NEW.editors) THEN
    RAISE EXCEPTION 'whoever edited a catalogue version does not publish it' USING ERRCODE = 'CR008';
END IF;
RETURN NEW;
"""

BASIS_CONFIRMED = """
IF NEW.state = 'in_force' AND (
    NEW.legal_basis_id IS NULL OR EXISTS (
        SELECT 1 FROM records_legalbasis b WHERE NOT b.confirmed
        AND b.code IN (NEW.legal_basis_id, NEW.publication_basis_id, NEW.person_publication_basis_id)
    )
) THEN
    RAISE EXCEPTION 'a catalogue version is in force only with a confirmed legal basis' USING ERRCODE = 'CR004';
END IF;
RETURN NEW;
"""

FIELDS_OF_DRAFTS_ONLY = """
IF EXISTS (
    SELECT 1 FROM records_entryversion v
    WHERE v.state <> 'draft' AND (
        (TG_OP <> 'INSERT' AND v.id = OLD.version_id) OR (TG_OP <> 'DELETE' AND v.id = NEW.version_id)
    )
) THEN
    RAISE EXCEPTION 'the fields of a published catalogue version are immutable' USING ERRCODE = 'CR003';
END IF;
RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
"""
