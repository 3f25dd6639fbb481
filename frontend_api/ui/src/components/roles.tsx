/** Roles by colour, shape and letter together: no role is told by colour alone. */
export type Role = 'worker' | 'guardian' | 'supervisor' | 'safety_officer' | 'owner';
export const ROLES: Role[] = ['worker', 'guardian', 'supervisor', 'safety_officer', 'owner'];

const ORDER: [string, Role][] = [
  ['guardian', 'guardian'],
  ['safety_officer', 'safety_officer'],
  ['supervisor', 'supervisor'],
  ['owner', 'owner'],
  ['issuer', 'owner'],
];

export function roleOf(roles: string[]): Role {
  return ORDER.find(([role]) => roles.includes(role))?.[1] ?? 'worker';
}

export const FILL: Record<Role, string> = {
  worker: 'var(--role-worker)',
  guardian: 'var(--role-guardian)',
  supervisor: 'var(--role-supervisor)',
  safety_officer: 'var(--role-safety)',
  owner: 'var(--role-owner)',
};

/** Outlines within a circle of radius 12: circle, shield, square, diamond, hexagon. */
export const SHAPE: Record<Role, string> = {
  worker: 'M0-11A11 11 0 1 1 0 11A11 11 0 1 1 0-11Z',
  guardian: 'M0-12.500L10.500-8.500V0C10.500 6.500 6 10.500 0 13C-6 10.500-10.500 6.500-10.500 0V-8.500Z',
  supervisor: 'M-8-10.500H8A2.500 2.500 0 0 1 10.500-8V8A2.500 2.500 0 0 1 8 10.500H-8A2.500 2.500 0 0 1-10.500 8V-8A2.500 2.500 0 0 1-8-10.500Z',
  safety_officer: 'M0-14L14 0L0 14L-14 0Z',
  owner: 'M-6.500-11.500H6.500L13 0L6.500 11.500H-6.500L-13 0Z',
};

export function RoleMark({ role, letter = '', size = 22 }: { role: Role; letter?: string; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="-14 -14 28 28" aria-hidden className="rolemark">
      <path d={SHAPE[role]} fill={FILL[role]} />
      {letter && (
        <text y="4.500" textAnchor="middle" fontSize="13" fontWeight="700" fill="#fff">
          {letter}
        </text>
      )}
    </svg>
  );
}
