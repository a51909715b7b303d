/** Word tables that fit any scene: times, manners, weather, traits, small sights, kin and the like; entries may draw from other tables. */

import { BOYS, GIRLS } from "./names.js";

const phrases = (text: string): readonly string[] => text.trim().split(/\s*[;\n]\s*/);
const list = (text: string): readonly string[] => text.trim().split(/\s+/);

export const WORDS = {
  adverb:
    list(`slowly softly quickly gently quietly boldly eagerly carefully cheerfully patiently gladly calmly politely firmly
    steadily swiftly kindly warmly shyly sleepily briskly thoughtfully nervously brightly lightly neatly hopefully bravely
    anxiously stubbornly wearily keenly busily merrily promptly silently solemnly proudly tenderly timidly dreamily earnestly
    faithfully fondly freely gaily gracefully gravely happily hastily heartily honestly humbly joyfully lazily loyally
    meekly mildly modestly nimbly openly playfully pleasantly plainly readily seriously simply smartly smoothly soberly
    sternly stiffly suddenly sweetly tidily truly vaguely wisely wildly sadly clumsily cleverly crossly curiously daintily
    deftly faintly fiercely frankly gruffly loudly primly quaintly rapidly sharply sincerely slyly snugly urgently wistfully
    awkwardly blankly bluntly breathlessly cautiously coolly dutifully feebly jauntily`),
  hue: list(`old small tall quiet mossy dusty narrow wide bright dark grey green brown yellow white red blue round crooked
    broken lovely plain weathered sturdy pretty shabby gleaming faded painted wobbly damp warm cool rough smooth heavy
    slender ancient new tidy neglected famous humble grand splendid curious leaning shady sunny frosty rusty speckled
    pale golden silver scarlet mottled patched polished scratched striped thick thin tilted worn little large`),
  mien: list(`plump tiny sleepy speckled nosy lame young old shaggy spotted striped brown black green grey hungry lost wet
    muddy dozing chubby skinny cheeky timid lazy noisy solemn bold bright drowsy elderly fuzzy gentle glossy grumpy handsome
    humming jumpy lonely mild perky proud quick restless rosy scruffy shiny silent slow smug stout tame tired wary wise`),
  dish: list(`hot cold warm fresh leftover homemade sweet salty crisp creamy buttered burnt spicy plain steaming delicious
    simple toasted sticky tender honeyed peppery crunchy festive thin thick golden tasty cheap frozen`),
  loud: phrases(
    "loudly;faintly;far off;close by;without end;all day;now and then;as always;once more;in the distance;overhead;nearby;in time;like music;like rain;like old friends;without pause;twice;softly;by turns;to and fro;as if in answer;for a while;again and again;here and there;all around;on and on;as before;for joy;in chorus;at intervals;as usual;below;outside;behind them;till dusk",
  ),
  calmly: list(
    "slowly quickly steadily quietly always often surely gently simply soon silently usually mostly really truly certainly naturally clearly easily evenly gradually constantly at_once once_more each_time little_by_little all_the_while day_after_day as_a_rule in_fact of_course after_all indeed bit_by_bit without_fail without_noise again regularly normally exactly",
  ).map((word) => word.replaceAll("_", " ")),
  trait:
    list(`patient clever cheerful stubborn shy careful honest dreamy busy gentle lively polite curious thoughtful clumsy
    generous tidy quiet daring modest sleepy sensible jolly nimble earnest friendly forgetful gruff hardworking humble
    imaginative hasty lazy loyal mild musical nervous obedient playful practical proper serious simple skilful solemn spirited
    steady strict talkative tender timid truthful vain watchful wise witty absent-minded bashful bold brisk chatty cosy dutiful eager`),
  time: phrases(`
    one morning;one evening;at noon;at dawn;after breakfast;before supper;on market day;on washing day;in early spring;in late autumn
    one windy day;one foggy day;on the first of May;on a Sunday;last winter;after the harvest;one hot afternoon;on a frosty day
    at sunrise;in midsummer;after the storm;on a holiday;one Tuesday;before the fair;one Monday;one Friday;at dusk;at teatime
    on a dull day;in the new year;in June;in October;in March;before the snow;after the rain;at midnight;on a birthday;in lambing time
    one Thursday;at sunset;on a busy day;in July;in April;after lunch;before dawn;one mild night;one clear night;on a feast day
    in the holidays;in apple time;in November;after church;one Saturday;on a whim;in haymaking time;before bedtime;one cloudy day;at low tide`),
  weather: [
    ...list(
      "rain_fell snow_fell hail_fell the_sun_shone mist_drifted the_wind_blew fog_hung thunder_rolled dew_glittered frost_sparkled the_stars_shone a_breeze_stirred leaves_whirled the_moon_rose drizzle_fell puddles_shone clouds_gathered lightning_flickered icicles_dripped dust_blew shadows_moved sunbeams_slanted the_sky_darkened the_sky_cleared",
    ).map((clause) => `${clause.replaceAll("_", " ")} <adverb>`),
  ],
  sky: list(
    "pale golden cloudy starry clear stormy rosy dim blue wide misty bright gloomy silvery hazy purple gentle leaden frosty velvet milky orange summery soft low restless cloudless greenish violet peaceful",
  ),
  gift: phrases(`
    a <hue> candle;a <hue> basket of figs;a <dish> plum tart;a <hue> button;a <hue> stone;a <hue> feather;a <hue> egg;a <dish> pie
    a <hue> ribbon end;a jar of <dish> pickles;a bag of <dish> peas;a <hue> pressed flower;a <dish> honey cake;a <dish> cherry bun
    a <hue> knitted cap;a <hue> sock;a pot of <dish> soup;a <hue> marble;a bunch of <hue> violets;a <hue> picture;a <hue> shell
    a <hue> walnut;a <dish> muffin;a <hue> glass bead;a <hue> pot of ink;a <dish> biscuit;a <hue> whisk;a <hue> bookmark;a <hue> nutcracker;a <hue> thimble`),
  tool: phrases(`
    a <hue> stick;a <hue> cord;a <hue> nail;a <hue> pole;a <hue> knife;a <hue> rag;a <hue> hook;a <hue> bucket;a <hue> broom;a <hue> plank
    a pair of <hue> tongs;a <hue> net;a <hue> spade;a <hue> strap;a <hue> wheelbarrow;a <hue> duster;a <hue> crowbar;a <hue> rake;a <hue> file;a <hue> shovel
    a <hue> wedge;a <hue> hammer;a <hue> wire;a <hue> chain`),
  glue: phrases(
    "<dish> glue;<hue> thread;<dish> pine sap;a <hue> pin;<hue> beeswax;a <hue> strip of leather;<hue> copper wire;<dish> flour paste;a <hue> screw;a <hue> peg;<dish> fish glue;<hue> string;<hue> tape;a <hue> rivet;<hue> resin;a <hue> bandage",
  ),
  creature: list(
    "snail beetle moth ladybird lizard cricket wren spider caterpillar toad pigeon worm butterfly kitten bumblebee newt finch rabbit sparrow hen donkey gosling vole weasel lamb pony cub dormouse turtle swan robin bat calf chick rook stork cuckoo mole salamander grasshopper",
  ).map((word) => `a <mien> ${word}`),
  kin: list(
    "aunt uncle grandmother grandfather cousin godmother neighbour teacher godfather nurse mother father brother sister niece nephew",
  ),
  went: list(
    "walked hurried wandered marched crept strolled skipped tramped hopped trotted ran plodded ambled bustled dashed stepped tiptoed shuffled strode stumbled paced raced roamed rushed scurried sauntered limped bounded drifted hastened waddled trudged",
  ),
  said: list(
    "said whispered replied answered called murmured explained declared cried sighed admitted added remarked muttered announced sang joked promised mumbled insisted observed repeated breathed grunted",
  ),
  looked: phrases(
    "looked;peeped;searched;felt about;hunted;poked about;peered;checked;rummaged;spied;groped;nosed about;gazed;squinted;glanced;explored",
  ),
  took: phrases(`
    an hour;all morning;three tries;a long while;half a day;much patience;many small steps;ten minutes;two evenings;the whole afternoon
    a bit of luck;some clever thinking;six attempts;a full week;hours of work;most of the night;some grumbling;five careful moves
    half an hour;a day and a night;plenty of sweat;a little courage;a dozen tries;some time`),
  good: list(
    "kind wise loyal true dear good helpful trusty merry faithful steady gracious noble fine gallant thoughtful cheery sweet brave patient gentle generous clever caring",
  ),
  size: list(
    "small large round flat narrow wide steep deep smooth rough mossy dusty muddy grassy sandy stony leafy slippery bumpy crumbling shady crooked sunken tilted",
  ),
  meal: list(
    "bread cheese soup pancakes apples pie milk porridge cake mushrooms cabbage jam noodles beans cherries chestnuts waffles turnips rice carrots pears custard pudding potatoes toast plums omelette dumplings radishes berries stew onions",
  ).map((word) => `<dish> ${word}`),
  game: phrases(
    "hide and seek;chess;leapfrog;cards;riddles;marbles;skipping;catch;charades;tug of war;dominoes;hopscotch;skittles;tag;draughts;hoops;puzzles;darts;bowls;rhymes",
  ),
  sleepy: phrases(
    "yawned;curled up;sank into the pillow;closed both eyes;pulled up the quilt;breathed deeply;nodded off;snuggled down;blinked;stretched;lay down;fell silent;drifted away;grew drowsy;dozed;went limp",
  ),
  lull: phrases(
    "the <sky> moon;a <mien> owl;the <hue> night wind;a <hue> star;the <hue> rain;the <hue> clock;a <hue> river;the <mien> crickets;the <sky> dark;a <hue> lullaby;the <sky> night;a <mien> nightingale",
  ),
  reason: list(
    "brother neighbour cousin doctor singer pupil farmer guest grocer widow baby stranger sister orphan aunt uncle",
  ).map((word) => `the <trait> ${word} <person>`),
  person: [...GIRLS, ...BOYS],
  prop: list(
    "bench barrel crate wall post bucket sack stool board basket box rope gate pile heap chest trough tub shelf sign broom ladder pail cart bin hamper mat stone plank trunk rug log",
  ),
  cry: list(
    "called sang cried stirred rustled scratched squeaked grumbled sighed chirped sneezed hummed coughed yawned giggled wept",
  ),
  flaw: list(
    "thin short weak slippery loose heavy stiff soft old wet blunt wobbly brittle slow crumbly sticky small large dry lumpy bent rough tight flimsy cold rusty narrow light thick smooth",
  ).map((word) => `too ${word}`),
  pace: phrases(
    "step by step;bit by bit;side by side;inch by inch;little by little;without a word;with great care;with a laugh;with steady hands;with a song;at once;in good order;with a grin;in no time;without fuss;at last;turn by turn;with a sigh;like clockwork;with a nod;in silence;with one heart;as planned;before dark",
  ),
  mood: list(
    "glum cross worried upset puzzled restless gloomy tearful uneasy fretful moody grumpy miserable bitter troubled sorrowful anxious sulky downcast ashamed listless dismal helpless weary",
  ),
} as const satisfies Record<string, readonly string[]>;
