import { Select } from '@mantine/core';
import { IconHelmet, IconLogin2, IconUserQuestion, IconUserCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { useBeat, useSection, useSite } from '../../api/hooks';
import type { DeviceView, WornView } from '../../api/schema';
import { useMay, useSession } from '../../api/session';
import { moment } from '../../app/format';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';

/** Who may hand a helmet to another, as the hub decides again. */
const HANDS_OUT = ['owner', 'guardian', 'supervisor', 'safety_officer', 'maintainer', 'issuer'];

/** Say whether somebody is known to wear a device now. */
export function isWorn(device: DeviceView): boolean {
  return !!device.worn && !device.worn.ended;
}

/** Say whether it may still be on a head that nobody can name. */
export function maybeWorn(worn: WornView | null | undefined): boolean {
  return !!worn?.ended && worn.ended !== 'returned';
}

/** Who wears a device of the rack until when; take it, hand it out, bring it back. */
export function Wearing({ device }: { device: DeviceView }) {
  const { t } = useWords();
  const { person_id: me, roles } = useSession();
  const may = useMay();
  const people = useSection('people');
  const [other, setOther] = useState<string | null>(null);
  const { ask, busy, problem } = useAct();
  useBeat(5000);
  const hands = roles.some((role) => HANDS_OUT.includes(role));
  const mine = isWorn(device) && device.worn?.person_id === me;
  const take = (person: string) => void ask('wear.take', { code: device.id, card: '', person_id: person }).then((done) => done && setOther(null));
  return (
    <div className="wearing">
      <Wearer worn={device.worn} />
      <Refused problem={problem} />
      {isWorn(device) && may('wear.return') && (
        <button type="button" className="btn big" disabled={busy} onClick={() => void ask('wear.return', { code: device.id })}>
          <IconLogin2 size={24} aria-hidden />
          {t('wear.return')}
        </button>
      )}
      {!mine && may('wear.take') && (
        <button type="button" className="btn big primary" disabled={busy} onClick={() => take('')}>
          <IconHelmet size={24} aria-hidden />
          {t('wear.take')}
        </button>
      )}
      {hands && may('wear.take') && (
        <>
          <Select
            label={t('wear.other')}
            searchable
            data={Object.values(people)
              .filter((one) => one.id !== me)
              .map((one) => ({ value: one.id, label: one.name }))}
            value={other}
            onChange={setOther}
          />
          {other && (
            <button type="button" className="btn big" disabled={busy} onClick={() => take(other)}>
              {t('wear.hand', { name: people[other]?.name ?? other })}
            </button>
          )}
        </>
      )}
    </div>
  );
}

/** Say who wears it; after the shift nobody is known to, whoever took it last. */
export function Wearer({ worn }: { worn: WornView | null | undefined }) {
  const { t } = useWords();
  const site = useSite();
  const people = useSection('people');
  const name = worn ? (people[worn.person_id]?.name ?? worn.person_id) : '';
  const late = maybeWorn(worn);
  const kind = !worn || worn.ended === 'returned' ? 'free' : late ? 'unknown' : 'worn';
  const Icon = kind === 'free' ? IconHelmet : kind === 'worn' ? IconUserCheck : IconUserQuestion;
  return (
    <p className="proof-stands">
      <span className={`tag ${kind === 'unknown' ? 'warn' : kind === 'worn' ? 'good' : ''}`}>
        <Icon size={18} aria-hidden />
        {kind === 'worn' ? name : t(`wear.${kind}`)}
      </span>
      {kind === 'worn' && worn && <span>{t('wear.until', { at: moment(worn.until_ms, site?.time_zone ?? 'UTC') })}</span>}
      {late && worn && (
        <span>
          {t('wear.last', { name })} {t(`wear.ended.${worn.ended}`, { defaultValue: worn.ended })}
        </span>
      )}
    </p>
  );
}
