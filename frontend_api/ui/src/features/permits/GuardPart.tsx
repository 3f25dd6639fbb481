import { Select, TextInput } from '@mantine/core';
import { IconMapPin, IconMapPinCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { claimFix, claimPlace } from '../../api/device';
import { useMay, useSession } from '../../api/session';
import { useWords } from '../../i18n';
import { ActButton, Fold, useNames, type Part } from './parts';

const AT_WORK = ['active', 'held', 'verifying'];

/** People at the work: I am here, the guardian's two scans, the shift, who joins. */
export function GuardPart(part: Part) {
  const { t } = useWords();
  const { file, permit } = part;
  const session = useSession();
  const { name, list } = useNames();
  const named = [permit.supervisor_id, permit.guardian_id, ...file.guardians, ...permit.workers].includes(session.person_id);
  const unverified = file.open.some((one) => one.facts.some((fact) => fact.fact === 'people_verified' || fact.fact === 'verified_age_min'));
  const mine = file.offered_to === session.person_id || file.shift_to === session.person_id;
  return (
    <Fold title={t('guard.title')} note={permit.guardian_id ? name(permit.guardian_id) : list(file.guardians)} open={mine || (named && unverified)}>
      <div className="stack">
        <Here {...part} />
        <Guardian {...part} />
        {AT_WORK.includes(file.status) && <Crew {...part} />}
      </div>
    </Fold>
  );
}

function Here({ permit, done }: Part) {
  const { t } = useWords();
  const may = useMay();
  const [code, setCode] = useState('');
  const [fix, setFix] = useState<boolean | null>(null);
  if (!may('person.verify')) return null;
  return (
    <section className="stack">
      <TextInput label={t('guard.code')} description={t('guard.code_note')} value={code} maxLength={60} autoCapitalize="none" onChange={(event) => { setCode(event.currentTarget.value); if (event.currentTarget.value.trim()) claimPlace('qr', event.currentTarget.value.trim()); }} />
      {window.isSecureContext && (
        <button type="button" className="btn" onClick={() => void claimFix().then(setFix)}>
          <IconMapPin size={20} aria-hidden />
          {t(fix === null ? 'guard.fix' : fix ? 'guard.fix_good' : 'guard.fix_bad')}
        </button>
      )}
      <ActButton verb="person.verify" body={{ zone_id: permit.zone_id }} done={done} className="primary">
        <IconMapPinCheck size={26} aria-hidden />
        {t('guard.here')}
      </ActButton>
    </section>
  );
}

function Guardian({ file, permit, done }: Part) {
  const { t } = useWords();
  const session = useSession();
  const may = useMay();
  const { name, people } = useNames();
  const [to, setTo] = useState<string | null>(null);
  const may_hand = may('guardian.hand_over') && [permit.guardian_id, permit.supervisor_id].includes(session.person_id) && !['applied', 'completed'].includes(file.status);
  const others = people.filter((one) => one.roles.includes('guardian') && one.id !== permit.guardian_id && !permit.workers.includes(one.id));
  return (
    <section className="scans" aria-label={t('guard.hand_over')}>
      {file.law.duties.length > 0 && <Duties {...{ file, permit, done }} />}
      {may_hand && (
        <>
          <Select label={t('guard.to')} data={others.map((one) => ({ value: one.id, label: one.name }))} value={to} onChange={setTo} />
          <ActButton verb="guardian.hand_over" body={{ permit_id: file.id, to_id: to ?? '' }} version={file.version} done={done} disabled={!to}>
            {t('guard.scan_one')}
          </ActButton>
        </>
      )}
      {file.offered_to && file.offered_to !== session.person_id && <p className="waiting">{t('guard.waits', { name: name(file.offered_to) })}</p>}
      {file.offered_to === session.person_id && (
        <ActButton verb="guardian.take_over" body={{ permit_id: file.id }} done={done} className="primary">
          {t('guard.scan_two')}
        </ActButton>
      )}
    </section>
  );
}

function Duties({ file }: Part) {
  const { t, say } = useWords();
  return (
    <>
      <p className="note">{t('guard.duties')}</p>
      <ul className="duties">
        {file.law.duties.map((one) => (
          <li key={one.en}>{say(one)}</li>
        ))}
      </ul>
    </>
  );
}

function Crew({ file, permit, done }: Part) {
  const { t } = useWords();
  const session = useSession();
  const may = useMay();
  const { name, people } = useNames();
  const [to, setTo] = useState<string | null>(null);
  const [guardian, setGuardian] = useState<string | null>(null);
  const [joins, setJoins] = useState<string | null>(null);
  const [trade, setTrade] = useState('');
  const [notes, setNotes] = useState('');
  const all = [...permit.workers, permit.guardian_id, ...file.guardians];
  const pick = (role: string) => people.filter((one) => one.roles.includes(role)).map((one) => ({ value: one.id, label: one.name }));
  return (
    <>
      {permit.supervisor_id === session.person_id && may('permit.offer_shift') && (
        <section className="stack" aria-label={t('shift.title')}>
          <h3 className="part-title">{t('shift.title')}</h3>
          <Select label={t('shift.to')} data={pick('supervisor').filter((one) => one.value !== session.person_id)} value={to} onChange={setTo} />
          <Select label={t('shift.guardian')} clearable clearButtonProps={{ 'aria-label': t('dialog.cancel') }} data={pick('guardian')} value={guardian} onChange={setGuardian} />
          <TextInput label={t('shift.notes')} maxLength={500} value={notes} onChange={(event) => setNotes(event.currentTarget.value)} />
          <ActButton verb="permit.offer_shift" body={{ permit_id: file.id, to_id: to ?? '', guardian_id: guardian ?? '', notes: notes.trim() }} version={file.version} done={done} disabled={!to}>
            {t('shift.offer')}
          </ActButton>
          <p className="note">{t('shift.note')}</p>
        </section>
      )}
      {file.shift_to && file.shift_to !== session.person_id && <p className="waiting">{t('guard.waits', { name: name(file.shift_to) })}</p>}
      {may('permit.add_worker') && (
        <section className="stack" aria-label={t('crew.title')}>
          <h3 className="part-title">{t('crew.title')}</h3>
          <Select label={t('crew.joins')} searchable data={people.filter((one) => !all.includes(one.id)).map((one) => ({ value: one.id, label: one.name }))} value={joins} onChange={setJoins} />
          {file.law.trades.length > 0 && <Select label={t('apply.trade')} data={file.law.trades.flatMap((one) => one.split('|'))} value={trade || null} onChange={(one) => setTrade(one ?? '')} />}
          <ActButton verb="permit.add_worker" body={{ permit_id: file.id, person_id: joins ?? '', trade }} version={file.version} done={done} disabled={!joins}>
            {t('crew.add')}
          </ActButton>
          {permit.workers.length > 1 &&
            permit.workers.map((one) => (
              <ActButton key={one} verb="permit.remove_worker" body={{ permit_id: file.id, person_id: one }} version={file.version} done={done}>
                {t('crew.remove', { name: name(one) })}
              </ActButton>
            ))}
        </section>
      )}
    </>
  );
}
