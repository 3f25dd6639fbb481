import { IconCamera, IconCheck } from '@tabler/icons-react';
import { useId, useState } from 'react';
import { Refusal } from '../../api/rest';
import type { ProblemView } from '../../api/schema';
import { isMedia, upload } from '../../api/upload';
import { Refused } from '../../components/Bits';
import { useWords } from '../../i18n';

const ACCEPT = { photo: 'image/jpeg,image/png', video: 'video/mp4,video/webm', evidence: 'image/jpeg,image/png,video/mp4,video/webm,application/pdf' };

/** Take or choose a file and bring it to the hub, however often the network is cut. */
export function UploadButton(props: { label: string; slot: string; permitId: string; kind: keyof typeof ACCEPT; kept?: string; done: (sha256: string) => void }) {
  const { t } = useWords();
  const id = useId();
  const [share, setShare] = useState<number | null>(null);
  const [cut, setCut] = useState(false);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const [wrong, setWrong] = useState(false);
  const bring = async (file: File) => {
    setProblem(null);
    setWrong(!isMedia(file.type));
    if (!isMedia(file.type)) return;
    setShare(0);
    try {
      props.done(await upload(props.permitId, props.slot, file, (part, broken) => { setShare(part); setCut(broken); }));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      setProblem(error.problem);
    } finally {
      setShare(null);
    }
  };
  return (
    <div className="upload">
      <label htmlFor={id} className="btn huge">
        {props.kept ? <IconCheck size={24} aria-hidden /> : <IconCamera size={24} aria-hidden />}
        {props.label}
      </label>
      <input
        id={id}
        type="file"
        className="hidden"
        accept={ACCEPT[props.kind]}
        disabled={share !== null}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = '';
          if (file) void bring(file);
        }}
      />
      {share !== null && (
        <p role="status">
          <progress value={share} max={1} aria-label={t('attach.progress')} /> {Math.floor(share * 100)} %
          {cut && <b className="late">{t('attach.cut')}</b>}
        </p>
      )}
      {wrong && <p className="refused" role="alert">{t('attach.wrong')}</p>}
      <Refused problem={problem} />
      {problem?.status === 0 && <p className="note">{t('attach.again')}</p>}
    </div>
  );
}
