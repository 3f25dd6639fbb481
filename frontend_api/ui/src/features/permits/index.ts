export { BookPage } from './BookPage';
export { PermitPage } from './PermitPage';
export { PermitsPage } from './PermitsPage';
