import './register.css';

export { BookPage } from './BookPage';
export { PermitPage } from './PermitPage';
