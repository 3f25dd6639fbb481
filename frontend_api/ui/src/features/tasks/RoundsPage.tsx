import { TextInput } from '@mantine/core';
import { IconCircleCheck, IconCircleDashed, IconPrinter, IconQrcode, IconQuestionMark, IconRoute } from '@tabler/icons-react';
import { useState } from 'react';
import { useSection, useSite } from '../../api/hooks';
import type { RoundPointView, RoundRunView, RoundView } from '../../api/schema';
import { useMay } from '../../api/session';
import { clock } from '../../app/format';
import { Empty } from '../../components/Bits';
import { useWords } from '../../i18n';
import { ActButton, useNames, useZone } from '../permits/parts';
import { PictureInput } from './PhotoButton';
import { Due, Tabs, useBook } from './shared';

const NOTHING = () => undefined;

export function RoundsPage() {
  const { t, say } = useWords();
  const book = useBook();
  const runs = Object.values(useSection('round_runs'));
  const open = runs.filter((one) => !one.closed_ms);
  const over = runs.filter((one) => one.closed_ms).sort((a, b) => b.closed_ms - a.closed_ms);
  const free = (book?.rounds ?? []).filter((one) => !open.some((run) => run.round === one.id));
  return (
    <div className="page work">
      <div className="page-head">
        <h2>{t('rounds.title')}</h2>
      </div>
      <Tabs />
      {open.map((run) => (
        <Walk key={run.id} run={run} />
      ))}
      {free.map((round) => (
        <Begin key={round.id} round={round} />
      ))}
      {book && !book.rounds.length && <Empty icon={<IconRoute size={32} aria-hidden />}>{t('rounds.none')}</Empty>}
      {over.length > 0 && (
        <section className="card">
          <h3 className="part-title">{t('rounds.over')}</h3>
          <ul className="plain">
            {over.slice(0, 10).map((run) => (
              <li key={run.id}>
                <b>{say(run.names)}</b> <Moment ms={run.closed_ms} /> · {t('rounds.covered', { covered: run.covered, total: run.points.length })}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function Moment({ ms }: { ms: number }) {
  const site = useSite();
  return <time>{clock(ms, site?.time_zone ?? 'UTC')}</time>;
}

function Begin({ round }: { round: RoundView }) {
  const { t, say } = useWords();
  const { roles } = useNames();
  const may = useMay();
  return (
    <section className="card stack">
      <h3 className="part-title">{say(round.names)}</h3>
      <p className="note">
        {t('rounds.points', { count: round.points.length })} · {roles(round.roles)}
      </p>
      {may('round.start') && (
        <ActButton verb="round.start" body={{ round: round.id }} done={NOTHING} className="primary">
          <IconRoute size={24} aria-hidden />
          {t('rounds.start')}
        </ActButton>
      )}
      <a className="btn" href={`/api/v1/rounds/${round.id}/labels`} target="_blank" rel="noreferrer">
        <IconPrinter size={20} aria-hidden />
        {t('rounds.labels')}
      </a>
    </section>
  );
}

function Walk({ run }: { run: RoundRunView }) {
  const { t, say } = useWords();
  const may = useMay();
  const [at, setAt] = useState<string | null>(null);
  const next = run.points.find((one) => !one.proven);
  const chosen = run.points.find((one) => one.id === at) ?? next;
  const share = run.points.length ? run.covered / run.points.length : 0;
  return (
    <section className="card stack">
      <h3 className="part-title">{say(run.names)}</h3>
      <Due ms={run.due_ms} />
      <p className="lead">{t('rounds.covered', { covered: run.covered, total: run.points.length })}</p>
      <progress className="wide" value={share} max={1} aria-label={t('rounds.coverage')} />
      <ol className="walk-points">
        {run.points.map((point) => (
          <Point key={point.id} point={point} on={chosen?.id === point.id} pick={() => setAt(point.id)} />
        ))}
      </ol>
      {chosen && may('round.scan') && <Scan key={chosen.id} run={run} point={chosen} done={() => setAt(null)} />}
      {may('round.close') && (
        <ActButton verb="round.close" body={{ round_run: run.id }} done={NOTHING}>
          {t('rounds.close')}
        </ActButton>
      )}
    </section>
  );
}

function Point({ point, on, pick }: { point: RoundPointView; on: boolean; pick: () => void }) {
  const { t, say } = useWords();
  const { name } = useNames();
  const zone = useZone(point.zone_id);
  const Icon = point.proven ? IconCircleCheck : point.by_id ? IconQuestionMark : IconCircleDashed;
  const state = point.proven ? 'proven' : point.by_id ? 'doubtful' : 'open';
  return (
    <li className={state}>
      <button type="button" className="point" aria-pressed={on} onClick={pick} disabled={point.proven}>
        <Icon size={24} aria-hidden />
        <span>
          <b>{say(point.names)}</b>
          <small>
            {zone} · {t(`point.${state}`)}
            {point.by_id && ` · ${name(point.by_id)}`}
            {!point.in_order && ` · ${t('point.out_of_order')}`}
          </small>
          {point.why && !point.proven && <small>{say(point.why)}</small>}
        </span>
        {point.at_ms > 0 && <Moment ms={point.at_ms} />}
      </button>
    </li>
  );
}

interface Detector {
  detect(source: ImageBitmap): Promise<{ rawValue: string }[]>;
}

/** Read a code from a picture where the browser can; else it is typed in. */
async function read(file: File): Promise<string> {
  const known = (window as unknown as { BarcodeDetector?: new (o: object) => Detector }).BarcodeDetector;
  if (!known) return '';
  const found = await new known({ formats: ['qr_code'] }).detect(await createImageBitmap(file)).catch(() => []);
  return found[0]?.rawValue ?? '';
}

function Scan({ run, point, done }: { run: RoundRunView; point: RoundPointView; done: () => void }) {
  const { t, say } = useWords();
  const [label, setLabel] = useState('');
  const [code, setCode] = useState('');
  const [unread, setUnread] = useState(false);
  const take = async (file: File) => {
    const found = await read(file);
    setUnread(!found);
    if (found) setLabel(found);
  };
  return (
    <div className="form scan">
      <h4 className="part-title">{t('scan.at', { point: say(point.names) })}</h4>
      <PictureInput label={t('scan.photo')} take={(file) => void take(file)} />
      {unread && <p className="note">{t('scan.unread')}</p>}
      <TextInput label={t('scan.label')} value={label} onChange={(event) => setLabel(event.currentTarget.value)} />
      <TextInput
        label={t('scan.code')}
        description={t('scan.code_note')}
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
      />
      <ActButton
        verb="round.scan"
        body={{ round_run: run.id, point: point.id, label: label.trim(), method: code.trim() ? 'qr' : '', code: code.trim() }}
        disabled={!label.trim()}
        done={NOTHING}
        succeeded={done}
        className="primary"
      >
        <IconQrcode size={24} aria-hidden />
        {t('scan.send')}
      </ActButton>
    </div>
  );
}
