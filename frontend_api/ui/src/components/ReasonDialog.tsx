import { lazy, Suspense, useEffect, useState } from 'react';
import type { ProblemView } from '../api/schema';

export interface Reasoned {
  open: boolean;
  title: string;
  note: string;
  confirm: string;
  warn?: boolean;
  busy: boolean;
  problem: ProblemView | null;
  close: () => void;
  answer: (reason: string) => void;
}

const form = () => import('./ReasonForm');
const ReasonForm = lazy(form);
const AHEAD_MS = 2000;

/** Ask for a reason; the dialog is loaded behind the page, not before it. */
export function ReasonDialog(props: Reasoned) {
  const [wanted, setWanted] = useState(props.open);
  useEffect(() => {
    if (props.open) setWanted(true);
  }, [props.open]);
  useEffect(() => {
    const timer = setTimeout(() => void form().catch(() => undefined), AHEAD_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!wanted) return null;
  return (
    <Suspense fallback={null}>
      <ReasonForm {...props} />
    </Suspense>
  );
}
