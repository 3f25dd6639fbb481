import { IconCheck, IconPencil } from '@tabler/icons-react';
import { useState } from 'react';
import { Select } from '@mantine/core';
import { useSite } from '../../api/hooks';
import type { SlotView } from '../../api/schema';
import { useMay, useSession } from '../../api/session';
import { moment } from '../../app/format';
import { useWords } from '../../i18n';
import { ActButton, Fold, useNames, type Part } from './parts';

/** Who has to sign, who signed, when, and whether they were seen at the place. */
export function ChainPart(part: Part) {
  const { t, say } = useWords();
  const { file } = part;
  const site = useSite();
  const { name, roles } = useNames();
  const signed = new Map(file.signed.map((one) => [one.slot, one]));
  const next = file.due.find((one) => one.verb === 'permit.sign')?.slot;
  return (
    <Fold title={t('chain.title')} note={t('chain.count', { given: signed.size, all: file.law.slots.length })} open={next !== undefined}>
      <ol className="chain">
        {file.law.slots.map((slot, number) => {
          const one = signed.get(slot.id);
          return (
            <li key={slot.id} className={one ? 'signed' : slot.id === next ? 'due' : ''} aria-current={slot.id === next ? 'step' : undefined}>
              <span className="chain-mark" aria-hidden>
                {one ? <IconCheck size={20} /> : slot.id === next ? <IconPencil size={18} /> : number + 1}
              </span>
              <div>
                <b>{say(slot.names)}</b>
                {one ? (
                  <>
                    <span>
                      {name(one.person_id)}
                      {one.for_id ? ` ${t('chain.for', { name: name(one.for_id) })}` : ''} · {moment(one.at_ms, site?.time_zone ?? 'UTC')}
                    </span>
                    <span className={`spot ${one.place}`}>
                      {t(`place.${one.place}`)}
                      {one.method ? ` (${t(`place.by_${one.method}`)})` : ''}
                    </span>
                    {one.late && <span className="late">{t('chain.late')}</span>}
                  </>
                ) : (
                  <span>
                    {say(slot.role)} · {slot.lead ? t('chain.lead') : roles(slot.roles)}
                    {slot.on_site ? ` · ${t('chain.on_site')}` : ''}
                  </span>
                )}
                {!one && slot.id === next && slot.delegable && <Delegate slot={slot} {...part} />}
              </div>
            </li>
          );
        })}
      </ol>
    </Fold>
  );
}

/** Let another authorised person sign in one's own place. */
function Delegate({ slot, file, permit, done }: Part & { slot: SlotView }) {
  const { t } = useWords();
  const session = useSession();
  const may = useMay();
  const { people } = useNames();
  const [open, setOpen] = useState(false);
  const [to, setTo] = useState<string | null>(null);
  const own = slot.lead ? permit.supervisor_id === session.person_id : slot.roles.some((role) => session.roles.includes(role));
  if (!own || !may('permit.delegate')) return null;
  if (!open) {
    return (
      <button type="button" className="btn" onClick={() => setOpen(true)}>
        {t('chain.delegate')}
      </button>
    );
  }
  const may_sign = people.filter((one) => one.id !== session.person_id && one.roles.some((role) => role === 'issuer' || role === 'safety_officer'));
  return (
    <div className="stack">
      <Select label={t('chain.delegate_to')} data={may_sign.map((one) => ({ value: one.id, label: one.name }))} value={to} onChange={setTo} />
      <ActButton verb="permit.delegate" body={{ permit_id: file.id, slot: slot.id, to_id: to ?? '' }} version={file.version} done={done} disabled={!to}>
        {t('chain.delegate')}
      </ActButton>
    </div>
  );
}
