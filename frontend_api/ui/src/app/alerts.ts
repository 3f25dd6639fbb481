import { useEffect } from 'react';
import { store } from '../api/store';

const KEY = 'safehold.sound';

export const soundOn = (): boolean => localStorage.getItem(KEY) === 'on';
export const setSound = (on: boolean): void => localStorage.setItem(KEY, on ? 'on' : 'off');

let audio: AudioContext | null = null;

/** Two rising tones, three times; a browser lets it sound after the first touch. */
export function sound(): void {
  audio ??= new AudioContext();
  const start = audio.currentTime;
  for (let i = 0; i < 6; i += 1) {
    const tone = audio.createOscillator();
    const loud = audio.createGain();
    tone.type = 'square';
    tone.frequency.value = i % 2 ? 960 : 720;
    const at = start + i * 0.22;
    loud.gain.setValueAtTime(0.0001, at);
    loud.gain.exponentialRampToValueAtTime(0.18, at + 0.02);
    loud.gain.exponentialRampToValueAtTime(0.0001, at + 0.2);
    tone.connect(loud).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.21);
  }
}

/** Sound and vibrate once for each new critical alarm, where this screen wants it. */
export function useAlerts(): void {
  useEffect(
    () =>
      store.onRaise((alarm) => {
        if (alarm.priority > 1 || !soundOn()) return;
        sound();
        navigator.vibrate?.([400, 150, 400, 150, 400]);
      }),
    [],
  );
}
