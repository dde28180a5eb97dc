/* Signals that ask us to stop, noted so that what is done can be kept. */
#ifndef PK_STOPPING_H
#define PK_STOPPING_H

/* From here on SIGINT, SIGTERM and SIGHUP are only noted, but for those that were ignored. */
void pk_stopping_begin(void);
void pk_stopping_end(void); /* also where nothing was begun */
/* The signal that came, or 0. */
int pk_stopping_signal(void);
/* If one came: ends the program by it, as whoever sent it expects. After pk_stopping_end. */
void pk_stopping_obey(void);

#endif
