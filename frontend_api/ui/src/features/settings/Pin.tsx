import { PasswordInput } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useState } from 'react';
import { loadDevice, useDevice } from '../../api/device';
import { put, Refusal } from '../../api/rest';
import type { ProblemView } from '../../api/schema';
import { useSession } from '../../api/session';
import { Card, Refused } from '../../components/Bits';
import { useWords } from '../../i18n';

const LEAST = 6;
const MOST = 12;

/** The PIN with which one signs on somebody else's device, who is the witness. */
export function Pin() {
  const { t } = useWords();
  const session = useSession();
  const { pin } = useDevice();
  const [[first, again], set] = useState(['', '']);
  const [problem, setProblem] = useState<ProblemView | null>(null);
  const [kept, setKept] = useState(false);
  const differ = again!.length > 0 && first !== again;
  const digits = (text: string) => text.replace(/\D/g, '');
  const send = async () => {
    setProblem(null);
    setKept(false);
    try {
      await put('/api/v1/pin', { pin: first });
      set(['', '']);
      setKept(true);
      await loadDevice(session.person_id);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      setProblem(error.problem);
    }
  };
  return (
    <Card title={t('pin.title')} note={t(pin ? 'pin.set' : 'pin.none')}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <p className="note">{t('pin.note')}</p>
        <PasswordInput label={t('pin.new')} description={t('pin.rule')} inputMode="numeric" autoComplete="off" maxLength={MOST} value={first} onChange={(event) => set([digits(event.currentTarget.value), again!])} />
        <PasswordInput label={t('pin.again')} inputMode="numeric" autoComplete="off" maxLength={MOST} value={again} error={differ ? t('pin.differ') : undefined} onChange={(event) => set([first!, digits(event.currentTarget.value)])} />
        <button type="submit" className="btn primary big" disabled={first!.length < LEAST || first !== again}>
          {t(pin ? 'pin.change' : 'pin.do')}
        </button>
        <Refused problem={problem} />
        {kept && (
          <p className="good" role="status">
            <IconCheck size={20} aria-hidden />
            {t('pin.kept')}
          </p>
        )}
      </form>
    </Card>
  );
}
