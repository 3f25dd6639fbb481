import { IconCertificate, IconKey, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { Link as Anchor } from 'wouter';
import type { InstanceView, IntegrationCard, IntegrationsView } from '../../api/schema';
import { Refused } from '../../components/Bits';
import { useWords } from '../../i18n';
import { Back } from './DevicePage';
import { useLive } from './parts';
import './devices.css';

const WATCHED = /^(config|device)\./;

/** What is set up and how its hosts stand; what else may be set up. */
export function IntegrationsPage() {
  const { t, say } = useWords();
  const { found, problem } = useLive<IntegrationsView>('/api/v1/integrations', WATCHED, 5000);
  return (
    <div className="page work">
      <Back />
      <div className="page-head">
        <h2>{t('devices.integrations')}</h2>
        <Anchor href="/devices/map" className="btn">
          {t('devices.map')}
        </Anchor>
      </div>
      <Refused problem={problem} />
      {found?.problem && <p className="told-bad">{say(found.problem)}</p>}
      {found && found.drafts.length > 0 && (
        <section className="device-list" aria-label={t('rules.drafts')}>
          <h3>{t('rules.drafts')}</h3>
          {found.drafts.map((one) => (
            <article key={one.id} className="device doubtful">
              <Anchor href={`/rules/drafts/${one.id}`} className="textlink">
                {one.rule || one.id}
              </Anchor>
            </article>
          ))}
        </section>
      )}
      {found && (
        <section className="device-list" aria-label={t('devices.set_up_ones')}>
          <h3>{t('devices.set_up_ones')}</h3>
          {found.instances.map((one) => (
            <Instance key={one.id} one={one} may={found.may_setup} />
          ))}
          {!found.instances.length && <p className="note">{t('devices.none_set_up')}</p>}
        </section>
      )}
      {found?.may_setup && (
        <section className="device-list" aria-label={t('devices.at_hand')}>
          <h3>{t('devices.at_hand')}</h3>
          {found.items.map((one) => (
            <AtHand key={one.id} one={one} />
          ))}
        </section>
      )}
    </div>
  );
}

function Instance({ one, may }: { one: InstanceView; may: boolean }) {
  const { t, say } = useWords();
  const good = one.state === 'running' && !one.trouble;
  const to = (kind: string) => `/devices/setup?instance=${encodeURIComponent(one.id)}&kind=${kind}`;
  return (
    <article className={`device ${good ? 'good' : 'faulty'}`} aria-label={one.id}>
      <header>
        <h4>
          {say(one.names)} <code>{one.id}</code>
        </h4>
        <span className={`tag ${good ? 'good' : 'bad'}`}>{t(`process.${one.state || 'unknown'}`, { defaultValue: one.state || '—' })}</span>
      </header>
      <p className="note">
        {t('devices.count', { count: one.devices })} · {t('devices.waiting_count', { count: one.waiting })}
      </p>
      {one.trouble_text && <p className="told-bad">{say(one.trouble_text)}</p>}
      {may && one.own && (
        <div className="acts">
          {one.reauthenticate && (
            <Anchor href={to('authenticate')} className="btn primary">
              <IconKey size={20} aria-hidden />
              {t('devices.reauthenticate')}
            </Anchor>
          )}
          <Anchor href={to('change')} className="btn">
            <IconPencil size={20} aria-hidden />
            {t('devices.change')}
          </Anchor>
          <Anchor href={to('remove')} className="btn">
            <IconTrash size={20} aria-hidden />
            {t('devices.remove_one')}
          </Anchor>
        </div>
      )}
      {may && !one.own && <p className="note">{t('devices.by_file_note')}</p>}
    </article>
  );
}

function AtHand({ one }: { one: IntegrationCard }) {
  const { t, say } = useWords();
  return (
    <article className="device" aria-label={one.id}>
      <header>
        <h4>{say(one.names)}</h4>
        <span className="tag">
          <IconCertificate size={18} aria-hidden />
          {t(`devices.grade.${one.grade}`, { defaultValue: one.grade })} · {one.safety_scale}
        </span>
      </header>
      <div className="acts">
        <Anchor href={`/devices/setup?integration=${encodeURIComponent(one.id)}`} className="btn">
          <IconPlus size={20} aria-hidden />
          {t('devices.set_up')}
        </Anchor>
      </div>
    </article>
  );
}
