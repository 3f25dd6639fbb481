import { IconAlertTriangle, IconCheck, IconChecks, IconClock, IconEye, IconSend } from '@tabler/icons-react';
import { useWords } from '../../i18n';

const ICONS = {
  queued: IconClock,
  sent: IconSend,
  delivered: IconCheck,
  seen: IconEye,
  acknowledged: IconChecks,
  failed: IconAlertTriangle,
} as const;

/** One channel's state: icon and word, never colour alone. */
export function State({ state, detail, channel }: { state: string; detail?: string; channel?: string }) {
  const { t } = useWords();
  const Icon = ICONS[state as keyof typeof ICONS] ?? IconClock;
  return (
    <span className={`told-state ${state}`}>
      <Icon size={18} aria-hidden />
      {channel && <b>{channelName(channel, t)}</b>}
      {t(`told.state.${state}`, { defaultValue: state })}
      {state === 'failed' && detail && ` · ${t(`told.why.${detail}`, { defaultValue: detail })}`}
    </span>
  );
}

/** Every phone is a channel of its own, which nobody wants to read. */
export function channelName(channel: string, t: (key: string, more: { defaultValue: string }) => string): string {
  const [kind = channel, rest] = channel.split('.', 2);
  const name = t(`told.channel.${kind}`, { defaultValue: kind });
  return rest ? `${name} ${rest.slice(0, 4)}` : name;
}
