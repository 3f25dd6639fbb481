import { TextInput } from '@mantine/core';
import { IconHelmet, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useSection } from '../../api/hooks';
import type { DeviceView } from '../../api/schema';
import { Empty } from '../../components/Bits';
import { useWords } from '../../i18n';
import { Back } from './DevicePage';
import { StandingTag } from './parts';
import { isWorn, maybeWorn, Wearer, Wearing } from './Wearing';
import './devices.css';

/** At the rack: choose a helmet, take it or hand it out, bring it back. */
export function RackPage() {
  const { t } = useWords();
  const people = useSection('people');
  const [wanted, setWanted] = useState('');
  const [chosen, setChosen] = useState('');
  const all = Object.values(useSection('devices')).filter((one) => one.wearable);
  const text = wanted.trim().toLowerCase();
  const words = (one: DeviceView) => [one.name, one.uid, (isWorn(one) && people[one.worn?.person_id ?? '']?.name) || ''];
  const shown = all.filter((one) => words(one).some((word) => word.toLowerCase().includes(text))).sort(byNeed);
  return (
    <div className="page work">
      <Back />
      <div className="page-head">
        <h2>{t('wear.rack')}</h2>
      </div>
      <p className="note">{t('wear.note')}</p>
      {all.length > 0 && (
        <TextInput
          aria-label={t('wear.search')}
          placeholder={t('wear.search')}
          leftSection={<IconSearch size={20} aria-hidden />}
          value={wanted}
          onChange={(event) => setWanted(event.currentTarget.value)}
        />
      )}
      {!all.length && <Empty icon={<IconHelmet size={40} aria-hidden />}>{t('wear.none')}</Empty>}
      {all.length > 0 && !shown.length && <p className="note">{t('devices.no_match')}</p>}
      <section className="device-list" aria-label={t('wear.rack')}>
        {shown.map((one) => (
          <Helmet key={one.id} device={one} open={chosen === one.id} choose={() => setChosen(chosen === one.id ? '' : one.id)} />
        ))}
      </section>
    </div>
  );
}

/** Those that may be on a head that nobody can name stand first. */
function byNeed(a: DeviceView, b: DeviceView): number {
  return Number(maybeWorn(b.worn)) - Number(maybeWorn(a.worn)) || a.name.localeCompare(b.name);
}

function Helmet({ device, open, choose }: { device: DeviceView; open: boolean; choose: () => void }) {
  const { t } = useWords();
  return (
    <article className={`device ${maybeWorn(device.worn) ? 'doubtful' : isWorn(device) ? 'good' : ''}`} aria-label={device.name}>
      <header>
        <h3>{device.name}</h3>
        <StandingTag device={device} />
      </header>
      <p className="note">
        <code>{device.uid}</code>
      </p>
      {open ? <Wearing device={device} /> : <Wearer worn={device.worn} />}
      <button type="button" className="btn big" aria-expanded={open} onClick={choose}>
        {t(open ? 'wear.close' : 'wear.choose')}
      </button>
    </article>
  );
}
