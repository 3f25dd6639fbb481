import { MultiSelect, Select, TextInput } from '@mantine/core';
import { IconKeyboard, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useBeat, useSection, useSite } from '../../api/hooks';
import type { ActBodies, EntityView, GasTestView, QuantityView } from '../../api/schema';
import { useMay, useSession } from '../../api/session';
import { store } from '../../api/store';
import { figure, moment } from '../../app/format';
import { qualityOf } from '../../app/gas';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { Figure } from './Ask';
import { ActButton, Fold, useNames, type Part } from './parts';

type Sample = ActBodies['permit.gas_test']['samples'][number];
type Place = Sample['place'];
const PLACES: Place[] = ['upper', 'middle', 'lower', 'inside', 'outside'];

/** Test the gas by the hub's own meters; typed values are a marked fallback. */
export function GasPart(part: Part) {
  const { t } = useWords();
  const may = useMay();
  const { file } = part;
  const open = !['closed', 'rejected', 'accepted'].includes(file.status);
  const failing = file.open.some((one) => one.facts.some((fact) => fact.fact.startsWith('gas_')));
  return (
    <Fold title={t('gas_test.title')} note={t('gas_test.count', { count: file.tests.length })} open={failing}>
      {may('permit.gases') && !['completed', 'accepted', 'closed', 'rejected'].includes(file.status) && <Named {...part} />}
      {open && may('permit.gas_test') && <Take {...part} />}
      <ol className="gas-tests">
        {file.tests.map((test, i) => (
          <Test key={`${test.at_ms}${i}`} test={test} open={i === 0} />
        ))}
      </ol>
      {!file.tests.length && <p className="note">{t('gas_test.none')}</p>}
    </Fold>
  );
}

/** Which gases the analysis expects: each has to be tested from then on. */
function Named({ file, done }: Part) {
  const { t, say } = useWords();
  const site = useSite();
  const gases = (site?.quantities ?? []).filter((one) => one.gas_class);
  const [named, setNamed] = useState(file.gases_named);
  const same = named.length === file.gases_named.length && named.every((one) => file.gases_named.includes(one));
  if (!gases.length) return null;
  return (
    <section className="stack" aria-label={t('gas_test.named')}>
      <MultiSelect searchable label={t('gas_test.named')} description={t('gas_test.named_note')} data={gases.map((one) => ({ value: one.id, label: say(one.names) }))} value={named} onChange={setNamed} />
      {!same && (
        <ActButton verb="permit.gases" body={{ permit_id: file.id, gases: named }} version={file.version} done={done}>
          {t('gas_test.name_do', { count: named.length })}
        </ActButton>
      )}
    </section>
  );
}

/** One test: the newest stands open, of the others the outcome is said. */
function Test({ test, open }: { test: GasTestView; open: boolean }) {
  const { t, say } = useWords();
  const site = useSite();
  const { name } = useNames();
  const gas = (id: string) => say(site?.quantities.find((one) => one.id === id)?.names) || id;
  const passed = test.samples.every((one) => one.verdict === 'passed' && one.evidence);
  const worst = passed ? 'passed' : (test.samples.find((one) => one.verdict !== 'passed')?.verdict ?? 'unknown');
  return (
    <li>
      <details open={open}>
        <summary className={`verdict ${worst}`}>
          <b>{moment(test.at_ms, site?.time_zone ?? 'UTC')}</b> <span>{test.person_id ? name(test.person_id) : t('gas_test.by_hub')}</span>
          {test.samples.some((one) => one.typed) && <i className="typed">{t('gas_test.was_typed')}</i>}
          <b>{t(`verdict.${worst}`)}</b>
        </summary>
        <ul>
          {test.samples.map((one, i) => (
            <li key={`${one.gas}${one.place}${i}`} className={`verdict ${one.verdict}`}>
              <span>{gas(one.gas)}</span>
              <span>{one.place ? t(`place.${one.place}`) : ''}</span>
              <b>
                {figure(one.value)} {one.unit}
              </b>
              <b>{t(`verdict.${one.verdict}`)}</b>
              {one.typed && <i className="typed">{t('gas_test.typed', { instrument: one.instrument })}</i>}
              {!one.evidence && <i className="typed">{t('gas_test.no_evidence')}</i>}
            </li>
          ))}
        </ul>
      </details>
    </li>
  );
}

interface Row {
  gas: QuantityView;
  place: Place;
}

function Take({ file, permit, done }: Part) {
  const { t, say } = useWords();
  const site = useSite();
  const session = useSession();
  const devices = Object.values(useSection('devices'));
  const { ask, busy, problem } = useAct();
  const oxygen = useSection('hub').hub?.oxygen_check ?? false;
  const [typed, setTyped] = useState(false);
  const [cause, setCause] = useState('');
  useBeat(2000);
  const gases = (site?.quantities ?? []).filter((one) => file.law.gases.includes(one.gas_class) || file.law.gases.includes(one.id));
  const meters = devices
    .filter((one) => one.zone_id === permit.zone_id || one.person_id === session.person_id)
    .flatMap((one) => one.entities.map((entity) => ({ device: one.name, entity })))
    .filter(({ entity }) => gases.some((gas) => gas.id === entity.quantity));
  const [places, setPlaces] = useState<Place[]>((file.law.places.length ? file.law.places : ['inside']) as Place[]);
  const rows: Row[] = meters.length
    ? gases.filter((gas) => meters.some(({ entity }) => entity.quantity === gas.id)).flatMap((gas) => places.map((place) => ({ gas, place })))
    : [];
  const entity = (gas: string): EntityView | undefined => meters.find((one) => one.entity.quantity === gas)?.entity;
  const send = async () => {
    const samples = rows.map((row): Sample => ({ gas: row.gas.id, place: row.place, entity_id: entity(row.gas.id)!.id }));
    if (await ask('permit.gas_test', { permit_id: file.id, samples, cause: cause.trim() }, file.version)) setCause('');
    done();
  };
  return (
    <div className="stack">
      {meters.length > 0 ? (
        <>
          <ul className="meters" aria-label={t('gas_test.now')}>
            {meters.map(({ device, entity: one }) => (
              <li key={one.id}>
                <span>
                  {say(gases.find((gas) => gas.id === one.quantity)?.names)} · {device}
                </span>
                <b>
                  {figure(store.live[one.id]?.[0])} {one.unit}
                </b>
                <Quality value={store.live[one.id]?.[1]} />
              </li>
            ))}
          </ul>
          <div className="picks" role="group" aria-label={t('gas_test.places')}>
            {PLACES.map((place) => (
              <button key={place} type="button" className="pick" aria-pressed={places.includes(place)} onClick={() => setPlaces(places.includes(place) ? places.filter((one) => one !== place) : [...places, place])}>
                {t(`place.${place}`)}
              </button>
            ))}
          </div>
          {oxygen && <TextInput label={t('gas_test.cause')} description={t('gas_test.cause_note')} maxLength={500} value={cause} onChange={(event) => setCause(event.currentTarget.value)} />}
          <button type="button" className="btn primary huge" disabled={busy || !rows.length} onClick={() => void send()}>
            {t('gas_test.take', { count: rows.length })}
          </button>
        </>
      ) : (
        <p className="note">{t('gas_test.no_meter')}</p>
      )}
      <Refused problem={problem} />
      {!typed && (
        <button type="button" className="btn" onClick={() => setTyped(true)}>
          <IconKeyboard size={20} aria-hidden />
          {t('gas_test.by_hand')}
        </button>
      )}
      {typed && <Typed gases={gases} file={file} permit={permit} done={done} />}
    </div>
  );
}

/** A value that is not good proves nothing: said beside it, before anybody relies on it. */
function Quality({ value }: { value: number | undefined }) {
  const { t } = useWords();
  const name = qualityOf(value ?? -1);
  return name === 'good' ? null : <i className="typed">{t(`quality.${name}`)}</i>;
}

function Typed({ gases, file, done }: Part & { gases: QuantityView[] }) {
  const { t, say } = useWords();
  const { ask, busy, problem } = useAct();
  const [gas, setGas] = useState<string | null>(gases[0]?.id ?? null);
  const [place, setPlace] = useState<Place>((file.law.places[0] as Place | undefined) ?? 'inside');
  const [value, setValue] = useState<number>();
  const [instrument, setInstrument] = useState('');
  const [until, setUntil] = useState('');
  const [kept, setKept] = useState<Sample[]>([]);
  const unit = gases.find((one) => one.id === gas)?.unit ?? '';
  const ready = gas && value !== undefined && instrument.trim();
  const sample = (): Sample => ({ gas: gas!, place, typed: { value: value!, unit, instrument: instrument.trim(), calibrated_to: until } });
  const keep = () => {
    setKept([...kept, sample()]);
    setValue(undefined);
  };
  const send = async () => {
    const samples = ready ? [...kept, sample()] : kept;
    const tested = await ask('permit.gas_test', { permit_id: file.id, samples }, file.version);
    if (tested) {
      setKept([]);
      setValue(undefined);
    }
    done();
  };
  return (
    <fieldset className="typed-box">
      <legend>{t('gas_test.by_hand')}</legend>
      <p className="late">{t('gas_test.fallback')}</p>
      <Select label={t('gas_test.gas')} data={gases.map((one) => ({ value: one.id, label: say(one.names) }))} value={gas} onChange={setGas} />
      <Select label={t('gas_test.place')} data={PLACES.map((one) => ({ value: one, label: t(`place.${one}`) }))} value={place} onChange={(one) => setPlace((one as Place | null) ?? place)} />
      <Figure label={t('gas_test.value')} shown unit={unit} value={value} set={setValue} />
      <TextInput label={t('gas_test.instrument')} value={instrument} maxLength={60} onChange={(event) => setInstrument(event.currentTarget.value)} />
      <TextInput type="date" label={t('gas_test.calibrated')} value={until} onChange={(event) => setUntil(event.currentTarget.value)} />
      {kept.map((one, i) => (
        <p key={i} className="note">
          {one.gas} · {t(`place.${one.place}`)} · {one.typed?.value} {one.typed?.unit}
        </p>
      ))}
      <div className="acts">
        <button type="button" className="btn" disabled={!ready} onClick={keep}>
          <IconPlus size={20} aria-hidden />
          {t('gas_test.more')}
        </button>
        <button type="button" className="btn primary" disabled={busy || !(ready || kept.length)} onClick={() => void send()}>
          {t('gas_test.send')}
        </button>
      </div>
      <Refused problem={problem} />
    </fieldset>
  );
}
