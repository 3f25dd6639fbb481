import { IconCamera } from '@tabler/icons-react';
import { useId, useState } from 'react';
import { Refusal, wanted } from '../../api/rest';
import type { ProblemView } from '../../api/schema';
import { bring } from '../../api/upload';
import { store } from '../../api/store';
import { Refused } from '../../components/Bits';
import { useWords } from '../../i18n';

/** Bring a picture to the hub and hang it on a task. Throws Refusal. */
export async function hang(taskId: string, stage: 'before' | 'after', file: File, told: (share: number) => void) {
  const sha256 = await bring(taskId, file, told);
  const taken = Math.floor(Math.min(file.lastModified || store.now(), store.now()));
  const media = file.type as 'image/jpeg' | 'image/png';
  await wanted('task.photo', { task_id: taskId, stage, sha256, size: file.size, media, taken_ms: taken });
}

export const isPicture = (file: File) => ['image/jpeg', 'image/png'].includes(file.type);

/** Open the phone's camera, or choose a picture. */
export function PhotoButton({ taskId, stage }: { taskId: string; stage: 'before' | 'after' }) {
  const { t } = useWords();
  const [share, setShare] = useState<number | null>(null);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const [wrong, setWrong] = useState(false);
  const take = async (file: File) => {
    setProblem(null);
    setWrong(!isPicture(file));
    if (!isPicture(file)) return;
    setShare(0);
    try {
      await hang(taskId, stage, file, setShare);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      setProblem(error.problem);
    } finally {
      setShare(null);
    }
  };
  return (
    <div className="upload">
      <PictureInput label={t(`photo.${stage}`)} disabled={share !== null} take={(file) => void take(file)} />
      {share !== null && (
        <p role="status">
          <progress value={share} max={1} aria-label={t('attach.progress')} /> {Math.floor(share * 100)} %
        </p>
      )}
      {wrong && (
        <p className="refused" role="alert">
          {t('attach.wrong')}
        </p>
      )}
      <Refused problem={problem} />
    </div>
  );
}

export function PictureInput(props: { label: string; disabled?: boolean; take: (file: File) => void }) {
  const id = useId();
  return (
    <>
      <label htmlFor={id} className="btn huge">
        <IconCamera size={24} aria-hidden />
        {props.label}
      </label>
      <input
        id={id}
        type="file"
        className="hidden"
        accept="image/jpeg,image/png"
        capture="environment"
        disabled={props.disabled}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file) props.take(file);
        }}
      />
    </>
  );
}
