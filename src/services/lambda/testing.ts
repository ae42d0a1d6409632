export { zipFiles } from '../../compute/testing.ts';

export const ROLE = 'arn:aws:iam::000000000000:role/functions';
