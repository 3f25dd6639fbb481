import { NumberInput, Select, TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';
import { get, post, Refusal } from '../../api/rest';
import type { DecodingView, ProblemView, ProfileMade, UnknownMapView } from '../../api/schema';
import { Card, Refused } from '../../components/Bits';
import { useWords } from '../../i18n';
import { Back } from './DevicePage';
import './devices.css';

const EVERY_MS = 2000;
const SHOWN = 60;

/** Learn the map of a meter that nobody knows, by what its own display shows. */
export function MapPage() {
  const { t } = useWords();
  const [map, setMap] = useState<UnknownMapView | null>(null);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const [busy, setBusy] = useState(false);
  const [place, setPlace] = useState('');
  const [unit, setUnit] = useState(1);
  const [table, setTable] = useState<'holding' | 'input'>('holding');
  const [first, setFirst] = useState(0);
  const tried = async <T,>(work: Promise<T>): Promise<T | null> => {
    setBusy(true);
    setProblem(null);
    try {
      return await work;
    } catch (error) {
      if (error instanceof Refusal) setProblem(error.problem);
      return null;
    } finally {
      setBusy(false);
    }
  };
  const id = map?.id ?? '';
  useEffect(() => {
    if (!id) return;
    const timer = setInterval(() => void get<UnknownMapView>(`/api/v1/unknown-map/${id}`).then(setMap, () => undefined), EVERY_MS);
    return () => clearInterval(timer);
  }, [id]);
  const read = () => void tried(post<UnknownMapView>('/api/v1/unknown-map', { place: place.trim(), unit, table, first })).then((one) => one && setMap(one));
  const point = (at: 'zero' | 'span', shown: number) => void tried(post<UnknownMapView>(`/api/v1/unknown-map/${id}/point`, { at, shown })).then((one) => one && setMap(one));
  return (
    <div className="page work">
      <Back to="/devices/integrations" />
      <div className="page-head">
        <h2>{t('devices.map')}</h2>
      </div>
      <p className="note">{t('devices.map_note')}</p>
      <Refused problem={problem} />
      <div className="device-form">
        <TextInput label={t('devices.map_place')} description="192.168.10.20:502 · /dev/ttyUSB0" value={place} onChange={(event) => setPlace(event.currentTarget.value)} />
        <NumberInput hideControls label={t('devices.map_unit')} min={0} max={255} value={unit} onChange={(one) => setUnit(Number(one) || 0)} />
        <Select label={t('devices.map_table')} data={['holding', 'input']} value={table} onChange={(one) => setTable(one === 'input' ? 'input' : 'holding')} allowDeselect={false} />
        <NumberInput hideControls label={t('devices.map_first')} min={0} max={65535} value={first} onChange={(one) => setFirst(Number(one) || 0)} />
        <button type="button" className="btn primary" disabled={busy || !place.trim()} onClick={read}>
          {t(busy ? 'devices.trying' : 'devices.map_read')}
        </button>
      </div>
      {map && (
        <div className="cards">
          <Points map={map} busy={busy} point={point} />
          <Decodings map={map} tried={tried} />
        </div>
      )}
    </div>
  );
}

function Points({ map, busy, point }: { map: UnknownMapView; busy: boolean; point: (at: 'zero' | 'span', shown: number) => void }) {
  const { t } = useWords();
  const [zero, setZero] = useState<number | ''>(0);
  const [span, setSpan] = useState<number | ''>('');
  return (
    <Card title={t('devices.map_match')}>
      <div className="device-form">
        {(['zero', 'span'] as const).map((at) => {
          const value = at === 'zero' ? zero : span;
          const set = at === 'zero' ? setZero : setSpan;
          const known = map[at];
          return (
            <div key={at} className="item">
              <NumberInput hideControls label={t(`devices.map_${at}`)} value={value} onChange={(one) => set(typeof one === 'number' ? one : '')} />
              <button type="button" className="btn" disabled={busy || value === ''} onClick={() => point(at, Number(value))}>
                {t('devices.map_now')}
              </button>
              {known !== null && <p role="status">{t('devices.map_taken', { value: known })}</p>}
            </div>
          );
        })}
        <p className={map.matched ? 'told-good' : 'told-bad'}>{t(map.matched ? 'devices.map_matched' : 'devices.map_unmatched')}</p>
      </div>
    </Card>
  );
}

function Decodings({ map, tried }: { map: UnknownMapView; tried: <T>(work: Promise<T>) => Promise<T | null> }) {
  const { t } = useWords();
  const [chosen, setChosen] = useState<DecodingView | null>(null);
  return (
    <Card title={t('devices.map_decodings')} className="wide-card">
      <div className="table-wrap" role="region" aria-label={t('devices.map_decodings')} tabIndex={0}>
        <table className="decodings">
          <thead>
            <tr>
              <th scope="col">{t('devices.map_address')}</th>
              <th scope="col">{t('devices.map_type')}</th>
              <th scope="col">{t('devices.map_raw')}</th>
              <th scope="col">{t('devices.map_value')}</th>
              <th scope="col">{t('devices.map_agrees')}</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {map.decodings.slice(0, SHOWN).map((one) => (
              <tr key={one.id} className={one.matches.length === 2 ? 'matches' : ''}>
                <td>{one.address}</td>
                <td>
                  {one.type} {one.order} {one.scale !== 1 && `× ${one.scale}`}
                </td>
                <td>
                  <code>{one.raw}</code>
                </td>
                <td>{Number(one.value.toPrecision(6))}</td>
                <td>{one.matches.map((each) => t(`devices.map_${each}_short`)).join(' + ') || '—'}</td>
                <td>
                  <button type="button" className="btn" onClick={() => setChosen(one)}>
                    {t('devices.map_choose')}
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {chosen && <Profile map={map} decoding={chosen} tried={tried} />}
    </Card>
  );
}

function Profile({ map, decoding, tried }: { map: UnknownMapView; decoding: DecodingView; tried: <T>(work: Promise<T>) => Promise<T | null> }) {
  const { t } = useWords();
  const [profile, setProfile] = useState('');
  const [quantity, setQuantity] = useState('');
  const [unit, setUnit] = useState('ppm');
  const [scale, setScale] = useState<number | ''>('');
  const [made, setMade] = useState<ProfileMade | null>(null);
  const make = () =>
    void tried(
      post<ProfileMade>(`/api/v1/unknown-map/${map.id}/profile`, {
        decoding: decoding.id,
        profile,
        names: { zh: profile, en: profile },
        quantity,
        unit,
        full_scale: Number(scale),
      }),
    ).then(setMade);
  return (
    <div className="device-form">
      <h3>
        {decoding.address} · {decoding.type} {decoding.order}
      </h3>
      <TextInput label={t('devices.map_profile')} description="site-h2s-1" value={profile} onChange={(event) => setProfile(event.currentTarget.value)} />
      <TextInput label={t('devices.map_quantity')} description="h2s · co · o2 · lel" value={quantity} onChange={(event) => setQuantity(event.currentTarget.value)} />
      <TextInput label={t('devices.map_of_unit')} value={unit} onChange={(event) => setUnit(event.currentTarget.value)} />
      <NumberInput hideControls label={t('devices.map_scale')} min={0} value={scale} onChange={(one) => setScale(typeof one === 'number' ? one : '')} />
      <button type="button" className="btn primary" disabled={!profile || !quantity || !scale} onClick={make}>
        {t('devices.map_make')}
      </button>
      {made && (
        <p role="status" className={made.evidence ? 'told-good' : 'told-bad'}>
          {t(made.evidence ? 'devices.map_made' : 'devices.map_made_uncertain', { profile: made.profile })}
          {made.bump_every_h !== null && ` ${t('devices.bump_due', { hours: made.bump_every_h })}`}
        </p>
      )}
    </div>
  );
}
