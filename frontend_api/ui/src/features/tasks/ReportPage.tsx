import { Select, Textarea, TextInput } from '@mantine/core';
import { IconSend } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useLocation, useSearchParams } from 'wouter';
import { useSection, useSite } from '../../api/hooks';
import { Refusal } from '../../api/rest';
import type { ProblemView } from '../../api/schema';
import { useSession } from '../../api/session';
import { Refused } from '../../components/Bits';
import { useAct } from '../../components/useAct';
import { useWords } from '../../i18n';
import { Picks } from './Picks';
import { hang, isPicture, PictureInput } from './PhotoButton';

const KINDS = ['hazard', 'near_miss', 'other'] as const;
const GRADES = ['general', 'major'] as const;

/** Report what one sees: a picture, a few words, where. Thumbs are enough. */
export function ReportPage() {
  const { t, say } = useWords();
  const [, go] = useLocation();
  const [search] = useSearchParams();
  const site = useSite();
  const here = useSection('people')[useSession().person_id]?.zone_id ?? '';
  const [kind, setKind] = useState<(typeof KINDS)[number]>('hazard');
  const [grade, setGrade] = useState<(typeof GRADES)[number]>('general');
  const [title, setTitle] = useState('');
  const [note, setNote] = useState('');
  const [zone, setZone] = useState<string | null>(null);
  const [picture, setPicture] = useState<File | null>(null);
  const [wrong, setWrong] = useState(false);
  const [bringing, setBringing] = useState(false);
  const [lost, setLost] = useState<ProblemView | null>(null);
  const [made, setMade] = useState('');
  const { ask, busy, problem } = useAct();
  const shown = usePreview(picture);
  const send = async () => {
    const body = { kind, grade, title: title.trim(), note, zone_id: zone ?? here, about: search.get('about') ?? '' };
    const done = made ? { task_id: made } : await ask('task.report', body);
    if (!done) return;
    const id = String(done.task_id);
    setMade(id);
    if (!picture) return go(`/tasks/${id}`);
    setBringing(true);
    setLost(null);
    try {
      await hang(id, 'before', picture, () => undefined);
      go(`/tasks/${id}`);
    } catch (error) {
      // The report is with the hub; only its picture is not yet.
      if (!(error instanceof Refusal)) throw error;
      setLost(error.problem);
    } finally {
      setBringing(false);
    }
  };
  return (
    <div className="page work">
      <div className="page-head">
        <h2>{t('task.report')}</h2>
      </div>
      <form
        className="card form"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        {shown && <img className="preview" src={shown} alt={t('photo.chosen')} />}
        <PictureInput
          label={t(picture ? 'photo.again' : 'photo.take')}
          take={(file) => {
            setWrong(!isPicture(file));
            if (isPicture(file)) setPicture(file);
          }}
        />
        {wrong && (
          <p className="refused" role="alert">
            {t('attach.wrong')}
          </p>
        )}
        <TextInput label={t('task.what')} value={title} maxLength={120} required onChange={(event) => setTitle(event.currentTarget.value)} />
        <Select
          label={t('task.where')}
          data={(site?.zones ?? []).map((one) => ({ value: one.id, label: say(one.names) }))}
          value={zone ?? (here || null)}
          onChange={setZone}
          searchable
        />
        <Picks label={t('task.kind')} options={KINDS.map((one) => [one, t(`task.kind.${one}`)])} value={kind} pick={setKind} />
        <Picks label={t('task.grade')} options={GRADES.map((one) => [one, t(`grade.${one}`)])} value={grade} pick={setGrade} />
        <Textarea label={t('task.note')} value={note} rows={2} maxLength={500} onChange={(event) => setNote(event.currentTarget.value)} />
        <Refused problem={problem ?? lost} />
        {lost && <p className="note">{t('task.kept_without_photo')}</p>}
        <button type="submit" className="btn primary huge" disabled={busy || bringing || !title.trim()}>
          <IconSend size={24} aria-hidden />
          {t(bringing ? 'photo.bringing' : lost ? 'photo.retry' : 'task.send')}
        </button>
      </form>
    </div>
  );
}

function usePreview(file: File | null): string {
  const [url, setUrl] = useState('');
  useEffect(() => {
    if (!file) return;
    const made = URL.createObjectURL(file);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [file]);
  return url;
}
