/** What stands for all streams together in the table `detection_hours`. */
export const ALL_STREAMS = '00000000-0000-0000-0000-000000000000';
