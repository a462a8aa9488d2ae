/**
 * What English words say of the temper of whoever writes them, from -4 (hostile) to 4 (friendly), in the scale of VADER
 * (Hutto & Gilbert 2014). Chosen and rated for this project, under its own licence, not taken from another list: the
 * published ones rate good and bad, and in a chat about a game `killed`, `dead`, `sick` and `shit` are neither. Slurs
 * are not here: they belong into watch lists, which find one of them at once. Two words stand for the phrase.
 */
const RATED: Readonly<Record<number, string>> = {
  [-4]: 'kys,kill yourself,kill urself,kill yourselves,neck yourself,hang yourself,go die,drop dead',
  [-3]: `bitch,bitches,cunt,bastard,asshole,assholes,arsehole,dickhead,prick,twat,wanker,scumbag,scum,whore,slut,retard,
    retarded,retards,moron,morons,moronic,subhuman,vermin,degenerate,fuck you,fuck u,fuck off,fuck him,fuck her,
    fuck them,fuck this,screw you,piss off,hate you,hate u,hate him,hate her,hate them,disgust,disgusting,despicable,
    repulsive,vile,fatso,pedo,predator`,
  [-2.5]: `idiot,idiots,idiotic,imbecile,stfu,gtfo,shut up,shut it,loser,losers,pathetic,worthless,ugly,fraud,scammer,
    scammers,liar,liars,coward,cowards,creep,creepy,freak,hypocrite,disgrace,embarrassment,hate,hates,hated,hating,
    get lost,nobody likes,nobody asked,worst streamer,fake ass,dumbass,jackass,dipshit,bullshit,clueless`,
  [-2]: `stupid,dumb,dumber,dumbest,trash,garbage,toxic,clown,clowns,cringe,terrible,horrible,awful,worst,useless,sucks,
    suck,shameful,shame,fool,fools,braindead,brainless,cancer,unwatchable,ruined,ragebait,crap,fraudulent,cheater,cheaters,
    cheating,washed,go away,lame,delusional,ungrateful,lying,unfollow,unfollowed,reported,disappointing`,
  [-1]: 'boring,bored,annoying,annoyed,bad,weird,gross,angry,mad,sad,fail,failed,wrong,sigh,meh,ugh,wtf,nope,overrated',
  [1]: 'ok,okay,fine,fun,lol,lmao,haha,hahaha,welcome,hi,hello,hey,cute,win,wins,won,yay,please,sorry',
  [2]: `good,nice,cool,great,thanks,thank,thx,ty,happy,gg,glad,best,friend,friends,pretty,sweet,hype,pog,poggers,wp,
    congrats,congratulations,respect,enjoy,enjoying,like,likes,liked,smart,fair,kind,insane,sick`,
  [3]: `love,loved,loves,lovely,awesome,amazing,beautiful,wonderful,excellent,perfect,brilliant,legend,goat,incredible,
    fantastic,adorable,well played,love you,love u,love this`,
};

/** The words by what they say; phrases are two words and a space. */
export const ENGLISH_WORDS: ReadonlyMap<string, number> = new Map(
  Object.entries(RATED).flatMap(([valence, words]) =>
    words.split(',').map((word): [string, number] => [word.trim(), Number(valence)]),
  ),
);
