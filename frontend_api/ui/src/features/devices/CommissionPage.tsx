import { TextInput } from '@mantine/core';
import { IconCheck, IconCircleDashed, IconShieldCheck, IconShieldX } from '@tabler/icons-react';
import { useState } from 'react';
import { useSite } from '../../api/hooks';
import type { SheetRowView, StepTickView, TickLine, ZoneSheets, ZoneSheetView } from '../../api/schema';
import { moment } from '../../app/format';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { Back } from './DevicePage';
import { useLive } from './parts';
import './devices.css';

const WATCHED = /^(commission|alarm|permit|command|notice|device|config|sirens)\./;
/** What only a person can say: the rest the journal shows by itself. */
const BY_PERSON = ['siren', 'message', 'hold'];

/** Each zone's sheet of causes and effects: proved line by line, then signed. */
export function CommissionPage() {
  const { t } = useWords();
  const { found, problem } = useLive<ZoneSheets>('/api/v1/commissioning', WATCHED, 3000);
  return (
    <div className="page work">
      <Back />
      <div className="page-head">
        <h2>{t('devices.commissioning')}</h2>
      </div>
      <p className="note">{t('devices.commissioning_note')}</p>
      <Refused problem={problem} />
      <section className="device-list" aria-label={t('devices.commissioning')}>
        {found?.items.map((zone) => (
          <Zone key={zone.zone_id} zone={zone} rights={found} />
        ))}
      </section>
    </div>
  );
}

function Zone({ zone, rights }: { zone: ZoneSheetView; rights: ZoneSheets }) {
  const { t, say } = useWords();
  const site = useSite();
  const { ask, busy, problem } = useAct();
  const good = zone.state === 'protected';
  const testing = zone.state === 'testing' || zone.state === 'ready';
  // Nothing hangs there, and nothing ever did: there is no proof to be wanted.
  const empty = zone.total === 0 && zone.state === 'none';
  const Icon = good ? IconShieldCheck : IconShieldX;
  return (
    <article className={`device ${good ? 'good' : testing ? 'doubtful' : zone.total ? 'faulty' : ''}`} aria-label={say(zone.names)}>
      <header>
        <h3>{say(zone.names)}</h3>
        {!empty && (
          <>
            <span className={`tag ${good ? 'good' : testing ? 'warn' : 'bad'}`}>
              <Icon size={18} aria-hidden />
              {t(`devices.zone_state.${zone.state}`, { defaultValue: zone.state })}
            </span>
            <span className="note">
              {zone.done} / {zone.total}
            </span>
          </>
        )}
      </header>
      {zone.signed_by && (
        <p className="note">
          {t('devices.signed', { who: say(zone.signed_by) })} · {moment(zone.signed_ms, site?.time_zone ?? 'UTC')}
        </p>
      )}
      {zone.why && <p className="told-bad">{say(zone.why)}</p>}
      {zone.changed.map((one) => (
        <p key={one.en} className="told-bad">
          {say(one)}
        </p>
      ))}
      {testing && zone.rows.map((row) => <Row key={row.entity_id} zone={zone} row={row} may={rights.may_test} />)}
      {zone.total === 0 && <p className="note">{t('devices.no_detectors')}</p>}
      <Refused problem={problem} />
      <div className="acts">
        {!testing && zone.total > 0 && rights.may_begin && (
          <button type="button" className="btn" disabled={busy} onClick={() => void ask('commission.begin', { zone_id: zone.zone_id })}>
            {t(good ? 'devices.test_again' : 'devices.test')}
          </button>
        )}
        {zone.state === 'ready' && rights.may_sign && (
          <button type="button" className="btn primary" disabled={busy} onClick={() => void ask('commission.sign', { zone_id: zone.zone_id, sheet: zone.sheet })}>
            {t('devices.sign')}
          </button>
        )}
        {testing && rights.may_begin && (
          <button type="button" className="btn" disabled={busy} onClick={() => void ask('commission.end', { zone_id: zone.zone_id })}>
            {t('devices.end_test')}
          </button>
        )}
      </div>
    </article>
  );
}

function Row({ zone, row, may }: { zone: ZoneSheetView; row: SheetRowView; may: boolean }) {
  const { t, say } = useWords();
  const { ask, busy, problem } = useAct();
  const [gas, setGas] = useState('');
  return (
    <fieldset className="part">
      <legend>
        {say(row.device)} · {say(row.names)}
      </legend>
      <ol className="ticks">
        {row.steps.map((step) => (
          <Tick
            key={step.step}
            step={step}
            may={may && !busy && BY_PERSON.includes(step.step)}
            tick={() => void ask('commission.tick', { zone_id: zone.zone_id, entity_id: row.entity_id, step: step.step as TickLine['step'] })}
          />
        ))}
      </ol>
      <Refused problem={problem} />
      {may && !row.under_test && (
        <div className="item">
          <TextInput label={t('devices.bottle')} description="H2S 25 ppm" value={gas} onChange={(event) => setGas(event.currentTarget.value)} />
          <button type="button" className="btn" disabled={busy} onClick={() => void ask('commission.gas', { zone_id: zone.zone_id, entity_id: row.entity_id, gas })}>
            {t('devices.gas_now')}
          </button>
        </div>
      )}
      {row.under_test && <p role="status">{t('devices.under_test', { gas: row.gas })}</p>}
    </fieldset>
  );
}

function Tick({ step, may, tick }: { step: StepTickView; may: boolean; tick: () => void }) {
  const { t, say } = useWords();
  const site = useSite();
  return (
    <li className={step.done ? 'shown' : ''}>
      {step.done ? <IconCheck size={20} aria-label={t('proof.confirmed')} /> : <IconCircleDashed size={20} aria-label={t('devices.open')} />}
      <span>
        {say(step.names)}
        {step.done && (
          <small>
            {' '}
            {step.by_journal ? t('devices.by_journal') : say(step.by)} · {moment(step.at_ms, site?.time_zone ?? 'UTC')}
          </small>
        )}
      </span>
      {!step.done && may && (
        <button type="button" className="btn" onClick={tick}>
          {t('devices.i_saw')}
        </button>
      )}
    </li>
  );
}
