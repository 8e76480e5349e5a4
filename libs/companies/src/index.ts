export { CompaniesModule } from './companies.module.js';
export { type NewMember, type SignedUp, type SignUpCommand, SignUpService } from './sign-up.service.js';
