export { CompaniesModule } from './companies.module.js';
export { type SignedUp, type SignUpCommand, SignUpService } from './sign-up.service.js';
