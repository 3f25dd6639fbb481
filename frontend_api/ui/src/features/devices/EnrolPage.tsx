import { Select, Switch, TextInput } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import { useState } from 'react';
import { useLocation } from 'wouter';
import { useSection, useSite } from '../../api/hooks';
import type { Output, Possession, WaitingDevices, WaitingDeviceView } from '../../api/schema';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { Back } from './DevicePage';
import { NOTHING } from './JsonForm';
import { useLive } from './parts';
import { ProofPart } from './SetupPage';
import './devices.css';

const DEVICE = /^(device|discovery)\./;

/** Take a device that was found into the site: where it hangs, and that it is this one. */
export function EnrolPage({ id }: { id: string }) {
  const { t } = useWords();
  const { found, problem } = useLive<WaitingDevices>('/api/v1/waiting-devices', DEVICE, 5000);
  const device = found?.items.find((one) => one.id === id);
  return (
    <div className="page work">
      <Back to="/devices/found" />
      <Refused problem={problem} />
      {found && !device && <p className="note">{t('devices.not_waiting')}</p>}
      {device && <Form key={device.id} device={device} may={found?.may_enrol ?? false} />}
    </div>
  );
}

function Form({ device, may }: { device: WaitingDeviceView; may: boolean }) {
  const { t, say } = useWords();
  const [, go] = useLocation();
  const site = useSite();
  const people = Object.values(useSection('people'));
  const { ask, busy, problem } = useAct();
  const outputs = device.entities.filter((one) => one.output);
  const [name, setName] = useState(device.name);
  const [zone, setZone] = useState<string | null>(device.zone_id || null);
  const [person, setPerson] = useState<string | null>(null);
  const [critical, setCritical] = useState(device.entities.some((one) => one.critical || one.kind === 'gas'));
  const [proof, setProof] = useState<Possession | null>(null);
  const [contacts, setContacts] = useState<Record<string, Output>>(() =>
    Object.fromEntries(outputs.map((one) => [one.uid, { kind: one.output as Output['kind'], ex_rated: false, contact_zone: null }])),
  );
  const zones = (site?.zones ?? []).map((one) => ({ value: one.id, label: say(one.names) }));
  const enrol = async () => {
    const done = await ask('device.enrol', {
      integration: device.integration,
      uid: device.uid,
      name,
      zone_id: zone,
      person_id: person,
      critical,
      facts: outputs.length ? { outputs: contacts } : {},
      possession: proof,
    });
    if (done) go(done.device_id ? `/devices/${String(done.device_id)}` : '/devices');
  };
  return (
    <>
      <div className="page-head">
        <h2>{device.name}</h2>
        <span className="note">
          {device.integration} · <code>{device.uid}</code>
        </span>
      </div>
      <ul className="why">
        {device.entities.map((one) => (
          <li key={one.uid}>
            {one.name} · {say(one.quantity)} {one.unit} {one.output && t(`output.${one.output}`, { defaultValue: one.output })}
          </li>
        ))}
      </ul>
      {device.bump_every_h !== null && <p className="told-bad">{t('devices.bump_due', { hours: device.bump_every_h })}</p>}
      <div className="device-form">
        <TextInput label={t('devices.name')} value={name} onChange={(event) => setName(event.currentTarget.value)} required />
        <Select label={t('devices.zone')} data={[NOTHING, ...zones]} value={zone ?? ''} onChange={(one) => setZone(one || null)} allowDeselect={false} />
        <Select label={t('devices.wearer')} data={[NOTHING, ...people.map((one) => ({ value: one.id, label: one.name }))]} value={person ?? ''} onChange={(one) => setPerson(one || null)} allowDeselect={false} searchable />
        <Switch label={t('devices.is_critical')} description={t('devices.is_critical_note')} checked={critical} onChange={(event) => setCritical(event.currentTarget.checked)} size="md" />
        {outputs.map((one) => (
          <fieldset key={one.uid} className="part">
            <legend>
              {one.name} · {t(`output.${one.output}`, { defaultValue: one.output })}
            </legend>
            <Select
              label={t('devices.contact')}
              description={t('devices.contact_note')}
              data={[NOTHING, ...zones]}
              value={contacts[one.uid]?.contact_zone ?? ''}
              onChange={(where) => setContacts({ ...contacts, [one.uid]: { ...(contacts[one.uid] as Output), contact_zone: where || null } })}
              allowDeselect={false}
            />
            <Switch label={t('devices.ex')} checked={contacts[one.uid]?.ex_rated ?? false} onChange={(event) => setContacts({ ...contacts, [one.uid]: { ...(contacts[one.uid] as Output), ex_rated: event.currentTarget.checked } })} size="md" />
            <Select
              label={t('devices.fail_safe')}
              data={['hold_last', 'on', 'off'].map((each) => ({ value: each, label: t(`devices.fails.${each}`) }))}
              value={contacts[one.uid]?.fail_safe ?? 'hold_last'}
              onChange={(each) => setContacts({ ...contacts, [one.uid]: { ...(contacts[one.uid] as Output), fail_safe: each ?? 'hold_last' } })}
              allowDeselect={false}
            />
          </fieldset>
        ))}
        {device.proof.length > 0 && <ProofPart proof={proof} set={setProof} kinds={device.proof} places={device.places} />}
        <Refused problem={problem} />
        <button type="button" className="btn primary" disabled={busy || !may || !name || (!zone && !person) || (device.proof.length > 0 && !proof)} onClick={() => void enrol()}>
          <IconPlugConnected size={20} aria-hidden />
          {t('devices.enrol')}
        </button>
        {!may && <p className="note">{t('devices.may_not')}</p>}
      </div>
    </>
  );
}
