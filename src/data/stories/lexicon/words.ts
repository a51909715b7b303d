/** Word tables that fit any scene: times, manners, weather, traits, small sights, kin and the like; entries may draw from other tables. */

import { BOYS, GIRLS } from "./names.js";

const phrases = (text: string): readonly string[] => text.trim().split(/\s*[;\n]\s*/);
const list = (text: string): readonly string[] => text.trim().split(/\s+/);

export const WORDS = {
  adverb: list(`
    slowly softly quickly gently quietly boldly eagerly carefully cheerfully patiently gladly calmly politely
    firmly steadily swiftly kindly warmly shyly sleepily briskly thoughtfully nervously brightly lightly
    neatly hopefully bravely anxiously stubbornly wearily keenly busily merrily promptly silently solemnly
    proudly tenderly timidly dreamily earnestly faithfully fondly freely gaily gracefully gravely happily
    hastily heartily honestly humbly joyfully lazily loyally meekly mildly modestly nimbly openly playfully
    pleasantly plainly readily seriously simply smartly smoothly soberly sternly stiffly suddenly sweetly
    tidily wisely wildly sadly clumsily cleverly crossly curiously daintily deftly faintly fiercely frankly
    gruffly loudly primly quaintly rapidly sharply sincerely slyly snugly urgently wistfully awkwardly bluntly
    breathlessly cautiously coolly dutifully feebly jauntily adeptly airily amiably ardently avidly blithely
    breezily casually cheerily comfortably contentedly courageously delicately deliberately devotedly
    discreetly drowsily elegantly evenly expertly fairly fearlessly fluently freshly genially genuinely
    graciously gratefully greatly hungrily idly impatiently innocently instantly intently jokingly jovially
    leisurely limply longingly lovingly lustily majestically mischievously musically nicely nobly nonchalantly
    oddly peacefully perkily pensively perfectly pluckily purposefully quizzically reluctantly respectfully
    restlessly richly robustly securely sedately sensibly shakily sheepishly skilfully sluggishly snappily
    spryly strangely strongly sturdily sulkily superbly tactfully tightly tirelessly trustingly unhurriedly
    valiantly vigorously warily watchfully weakly willingly wittily zestfully`),
  hue: list(`
    old small tall quiet mossy dusty narrow wide bright dark grey green brown yellow white red blue round
    crooked broken lovely plain weathered sturdy pretty shabby gleaming faded painted wobbly damp warm cool
    rough smooth heavy slender ancient new tidy neglected famous humble grand splendid curious leaning shady
    sunny frosty rusty speckled pale golden silver scarlet mottled patched polished scratched striped thick
    thin tilted worn little large airy amber antique arched ashen azure bare beautiful black blunt bony
    bristly broad bronze bulky bumpy cheap chipped chunky clean coarse copper cosy creaky cream crimson
    crumpled curly curved dainty dented dewy dim dirty dull elegant enormous exotic familiar fancy fat fine
    flaky flat fragile furry fuzzy giant glassy glossy glowing grimy gritty grubby handsome handy hard hidden
    hollow indigo ivory jagged knotted lilac long lopsided loose lumpy magnificent maroon marvellous massive
    mauve mighty milky misty modern mysterious neat noisy oily olive orange ordinary oval peach peeling plum
    pointed powdery precious puffy purple quaint queer ragged rare rickety ridged rosy rugged sagging scratchy
    shapeless sharp short simple skimpy slanting sleek slim slippery soft solid sooty special spiky splintered
    spotless spotted square stained sticky stiff stout straight strange strong stumpy superb swollen tangled
    tattered tawny thorny tight towering trim turquoise twisted ugly unusual useful velvety violet wavy waxy
    wonderful woolly wrinkled`),
  mien: list(`
    plump tiny sleepy speckled nosy lame young old shaggy spotted striped brown black green grey hungry lost
    wet muddy dozing chubby skinny cheeky timid lazy noisy solemn bold bright drowsy elderly fuzzy gentle
    glossy grumpy handsome humming jumpy lonely mild perky proud quick restless rosy scruffy shiny silent slow
    smug stout tame tired wary wise agile aged alert anxious beady bearded bouncy bristly busy calm clumsy
    cosy curly dainty damp dappled dusty fat feathered fierce fine frisky friendly furry giddy golden greedy
    hairy happy hardy huge impish jaunty jittery large lean limping lively long merry moody muttering nimble
    nodding odd patient pale plain playful pretty puffing ragged roving rusty shivering shaking sly slender
    small sniffing soaked spry stately stiff stubborn sturdy sulky swift tiptoeing tough trusting wild
    wandering whistling yawning`),
  dish: list(`
    hot cold warm fresh leftover homemade sweet salty crisp creamy buttered burnt spicy plain steaming
    delicious simple toasted sticky tender honeyed peppery crunchy festive thin thick golden tasty cheap
    frozen baked boiled bitter chilled chopped country crumbly crusty dried dry fine fragrant fruity grated
    hearty herby juicy light mashed mild minty moist nutty plentiful rich roasted rosy salted scorched sliced
    smoky soft sour stewed strong sugared sweetened syrupy tangy tart`),
  loud: phrases(
    "loudly;faintly;far off;close by;without end;all day;now and then;as always;once more;in the distance;overhead;nearby;in time;like music;like rain;like old friends;without pause;twice;softly;by turns;to and fro;as if in answer;for a while;again and again;here and there;all around;as before;for joy;in chorus;at intervals;as usual;below;outside;behind them;till dusk",
  ),
  windily: list(`
    softly slowly gently quietly steadily lightly faintly silently suddenly swiftly brightly coldly coolly
    warmly wildly weakly strongly briefly thinly thickly sleepily lazily early late again once_more at_last
    far_away nearby overhead outside everywhere here_and_there for_a_while by_degrees without_a_sound
    little_by_little all_day all_night as_always now_and_then in_the_distance peacefully restlessly merrily
    gloomily calmly fiercely roughly smoothly mildly evenly patiently playfully hazily freely solemnly
    mysteriously prettily quickly gradually unexpectedly constantly heavily`).map((word) => word.replaceAll("_", " ")),
  calmly: list(
    "slowly quickly steadily quietly always often surely gently simply soon silently usually mostly really truly certainly naturally clearly easily evenly gradually constantly at_once each_time little_by_little all_the_while day_after_day as_a_rule of_course bit_by_bit without_fail without_noise again regularly normally calmly smoothly softly firmly freely promptly neatly lightly patiently tirelessly swiftly mildly safely briskly invisibly by_itself without_pause without_help without_hurry from_then_on every_time day_and_night as_before sooner_or_later in_turn at_last readily loosely evermore willingly plainly commonly generally",
  ).map((word) => word.replaceAll("_", " ")),
  trait: list(`
    patient clever cheerful stubborn shy careful honest dreamy busy gentle lively polite curious thoughtful
    clumsy generous tidy quiet daring modest sleepy sensible jolly nimble earnest friendly forgetful gruff
    hardworking humble imaginative hasty lazy loyal mild musical nervous obedient playful practical proper
    serious simple skilful solemn spirited steady strict talkative tender timid truthful vain watchful wise
    witty absent-minded bashful bold brisk chatty cosy dutiful eager adventurous agreeable alert amiable
    ambitious artful attentive awkward blunt breezy candid cautious charming civil considerate cool courteous
    crafty decent devoted diligent discreet dogged dreaming easygoing energetic excitable fair fearless fond
    frank frugal fussy genial gifted gracious grateful handy harmless homely hopeful hospitable impatient
    innocent inventive jovial keen learned lighthearted lucky mannerly merry mischievous neighbourly observant
    optimistic orderly peaceful pensive plucky practised prudent punctual purposeful rash reliable reserved
    resolute respectful restless scholarly secretive serene sociable spry stern stout studious sturdy sweet
    tactful tireless tough trusting unselfish upright valiant vigorous warm whimsical willing worldly zealous`),
  time: [
    ...list("morning evening afternoon night day noon dawn week month season spring summer autumn winter").map(
      (part) => `one <sky> ${part}`,
    ),
    ...list(
      "Monday Tuesday Wednesday Thursday Friday Saturday Sunday holiday birthday feast_day market_day school_day washing_day baking_day",
    ).map((day) => `on a <sky> ${day.replace("_", " ")}`),
    ...list("dinner supper breakfast lunch wedding picnic harvest party nap walk concert parade").map(
      (event) => `after a <sky> ${event}`,
    ),
    ...list("January February March April May June July August September October November December").map(
      (month) => `in <sky> ${month}`,
    ),
  ],
  weather: [
    ...list(
      "rain_fell snow_fell hail_fell the_sun_shone mist_drifted the_wind_blew fog_hung thunder_rolled dew_glittered frost_sparkled the_stars_shone a_breeze_stirred leaves_whirled the_moon_rose drizzle_fell puddles_shone clouds_gathered lightning_flickered icicles_dripped dust_blew shadows_moved sunbeams_slanted the_sky_darkened the_sky_cleared the_rain_stopped mist_rose the_snow_melted clouds_parted hail_rattled sleet_fell the_wind_sighed fog_lifted the_sun_sank the_sun_rose a_rainbow_glowed frost_melted ice_cracked sunlight_spread smoke_curled the_storm_passed dusk_fell the_evening_cooled twilight_came the_clouds_thinned darkness_crept seeds_floated petals_fell moonlight_glimmered",
    ).map((clause) => `${clause.replaceAll("_", " ")} <windily>`),
  ],
  sky: list(`
    pale golden cloudy starry clear stormy rosy dim blue wide misty bright gloomy silvery hazy purple gentle
    leaden frosty velvet milky orange summery soft low restless cloudless greenish violet peaceful amber azure
    balmy black bleak bold breezy brisk broad calm chilly cold cool damp dazzling drizzly dry dull dusty fair
    fiery fine fresh frozen glorious glowing grand grey hot humid icy lazy lively lovely mellow merry mild
    moist perfect pleasant plain quiet rainy raw rough showery sleepy slow smoky snowy sparkling splendid
    still sultry sunny thundery warm wet white wild windy`),
  gift: phrases(`
    a <hue> candle;a <hue> basket of figs;a <dish> plum tart;a <hue> button;a <hue> stone;a <hue> feather;a <hue> egg;a <dish> pie
    a <hue> ribbon end;a jar of <dish> pickles;a bag of <dish> peas;a <hue> pressed flower;a <dish> honey cake;a <dish> cherry bun
    a <hue> knitted cap;a <hue> sock;a pot of <dish> soup;a <hue> marble;a bunch of <hue> violets;a <hue> picture;a <hue> shell
    a <hue> walnut;a <dish> muffin;a <hue> glass bead;a <hue> pot of ink;a <dish> biscuit;a <hue> whisk;a <hue> bookmark;a <hue> nutcracker;a <hue> thimble;a <hue> spool;a <hue> pencil;a <hue> jar;a <hue> ring;a <hue> ball of wool;a <hue> comb case;a <hue> toy soldier;a <hue> mitten;a <hue> purse;a <hue> lamp;a <hue> box of chalk;a <hue> fan;a <hue> mug;a <hue> apron;a <hue> pebble;a <hue> puppet;a <dish> pastry;a bag of <dish> nuts;a jar of <dish> honey;a <dish> waffle;a <hue> flower pot;a <hue> pipe;a <hue> card;a <hue> trumpet;a <hue> poem;a <hue> plume;a <hue> tassel;a <hue> badge;a <hue> snow globe;a <hue> pin`),
  tool: phrases(`
    a <hue> stick;a <hue> cord;a <hue> nail;a <hue> pole;a <hue> knife;a <hue> rag;a <hue> hook;a <hue> bucket;a <hue> broom;a <hue> plank
    a pair of <hue> tongs;a <hue> net;a <hue> spade;a <hue> strap;a <hue> wheelbarrow;a <hue> duster;a <hue> crowbar;a <hue> rake;a <hue> file;a <hue> shovel
    a <hue> wedge;a <hue> hammer;a <hue> wire;a <hue> chain;a <hue> saw;a <hue> lever;a <hue> pulley;a <hue> fork;a <hue> brush;a <hue> needle;a <hue> trowel;a <hue> clamp;a <hue> bar;a <hue> spoon;a <hue> mallet;a <hue> chisel;a <hue> sieve;a <hue> pump;a <hue> tube;a <hue> funnel;a <hue> jack;a <hue> belt;a <hue> scraper;a <hue> ladle;a <hue> magnet;a <hue> hoe;a <hue> ramp;a <hue> beam`),
  glue: phrases(
    "<dish> glue;<hue> thread;<dish> pine sap;a <hue> pin;<hue> beeswax;a <hue> strip of leather;<hue> copper wire;<dish> flour paste;a <hue> screw;a <hue> peg;<dish> fish glue;<hue> string;<hue> tape;a <hue> rivet;<hue> resin;a <hue> bandage",
  ),
  creature: list(
    "snail beetle moth ladybird lizard cricket wren spider caterpillar toad pigeon worm butterfly kitten bumblebee newt finch rabbit sparrow hen donkey gosling vole weasel lamb pony cub dormouse turtle swan robin bat calf chick rook stork cuckoo mole salamander grasshopper dove raven crow magpie heron gull thrush lark starling blackbird swallow bee wasp ant dragonfly tadpole hamster puppy piglet foal fawn deer stag mare turkey peacock parrot lobster crab trout carp seal stoat ferret beaver chipmunk gecko mite cockerel canary",
  ).map((word) => `a <mien> ${word}`),
  kin: list(
    "aunt uncle grandmother grandfather cousin godmother neighbour teacher godfather nurse mother father brother sister niece nephew",
  ),
  went: list(`
    walked hurried wandered marched crept strolled skipped tramped hopped trotted ran plodded ambled bustled
    dashed stepped tiptoed shuffled strode stumbled paced raced roamed rushed scurried sauntered limped
    bounded drifted hastened waddled trudged galloped scrambled glided scampered jogged slipped hobbled
    climbed flitted danced waltzed sped swaggered lumbered bolted scuttled`),
  said: list(`
    said whispered replied answered called murmured explained declared cried sighed admitted added remarked
    muttered announced sang joked promised mumbled insisted observed repeated breathed grunted chirped
    chuckled stated chattered confessed crooned volunteered ventured reported hummed mused chimed grumbled
    stammered chanted urged reasoned puffed gasped`),
  looked: phrases(
    "looked;peeped;searched;felt about;hunted;poked about;peered;checked;rummaged;spied;groped;nosed about;gazed;squinted;glanced;explored",
  ),
  took: list("hours days mornings evenings nights weeks afternoons").flatMap((span) =>
    list("two three four five six seven").map((count) => `${count} <sky> ${span}`),
  ),
  good: list(`
    kind wise loyal true dear good helpful trusty merry faithful steady gracious noble fine gallant thoughtful
    cheery sweet brave patient gentle generous clever caring loving able amiable brisk bright calm civil
    cordial decent devoted earnest fair fond friendly genial handy hearty honest jolly keen lively mild neat
    plucky polite prompt ready reliable sensible sincere smart solid sound staunch strong sunny tactful tender
    tireless upright warm willing witty worthy`),
  size: list(`
    small large round flat narrow wide steep deep smooth rough mossy dusty muddy grassy sandy stony leafy
    slippery bumpy crumbling shady crooked sunken tilted broad bare hidden mild open soggy pebbly thorny weedy
    windy chalky icy bright dim level lumpy quiet lonely winding short long sunny broken cracked cool`),
  meal: list(
    "bread cheese soup pancakes apples pie milk porridge cake mushrooms cabbage jam noodles beans cherries chestnuts waffles turnips rice carrots pears custard pudding potatoes toast plums omelette dumplings radishes berries stew onions",
  ).map((word) => `<dish> ${word}`),
  game: phrases(
    "hide and seek;chess;leapfrog;cards;marbles;skipping;catch;charades;tug of war;dominoes;hopscotch;skittles;tag;draughts;hoops;darts;bowls;ludo;snap;soldiers;pirates;shop;dressing up",
  ),
  sleepy: phrases(
    "yawned;curled up;sank into the pillow;closed both eyes;pulled up the quilt;breathed deeply;nodded off;snuggled down;blinked;stretched;lay down;fell silent;drifted away;grew drowsy;dozed;went limp",
  ),
  lull: phrases(
    "the <sky> moon;a <mien> owl;the <hue> night wind;a <hue> star;the <hue> rain;the <hue> clock;a <hue> river;the <mien> crickets;the <sky> dark;a <hue> lullaby;the <sky> night;a <mien> nightingale",
  ),
  reason: list(
    "neighbour cousin doctor singer pupil farmer guest grocer baby stranger orphan twin barber teacher poet clerk builder butcher cobbler cyclist dancer driver juggler knitter nurse pilot piper porter rider smith traveller waiter",
  ).map((word) => `the <trait> ${word} <person>`),
  person: [...GIRLS, ...BOYS],
  prop: list(`
    bench barrel crate wall post bucket sack stool board basket box rope gate pile heap chest trough tub shelf
    sign broom ladder pail cart bin hamper mat stone plank trunk rug log bed beam boulder branch brick bundle
    cage can carpet cask chimney coop crock cushion door drum fence flagpole jar kennel lamp mound pan pillar
    pole pump ramp rock roller sledge stump table tent tree tube urn vase wheel window`),
  cry: list(`
    called sang cried stirred rustled scratched squeaked grumbled sighed chirped sneezed hummed coughed yawned
    giggled wept crept danced dozed dug flapped flew fluttered groaned gulped hid hissed hooted jumped
    listened mumbled munched nodded paused purred rested rolled shivered slept snored sniffed splashed
    squawked stared trembled waited wandered watched whined whistled`),
  flaw: list(
    "thin short weak slippery loose heavy stiff soft old wet blunt wobbly brittle slow crumbly sticky small large dry lumpy bent rough tight flimsy cold rusty narrow light thick smooth",
  ).map((word) => `too ${word}`),
  pace: [
    ...phrases(
      "step by step;bit by bit;side by side;inch by inch;little by little;without a word;in no time;turn by turn;at last",
    ),
    ...list("grin nod sigh smile bow look voice heart hand song laugh wink joke shout hop plan").map(
      (each) => `with @ <trait> ${each}`,
    ),
  ],
  mood: list(`
    glum cross worried upset puzzled restless gloomy tearful uneasy fretful moody grumpy miserable bitter
    troubled sorrowful anxious sulky downcast ashamed listless dismal helpless weary angry bothered broken
    confused cheerless cranky disappointed distressed dejected desperate dreary forlorn frightened frustrated
    fussy gruff heavy hopeless hurt irritable jumpy mournful nervous pained perplexed quiet sore startled
    strained tense unhappy vexed wistful wretched`),
} as const satisfies Record<string, readonly string[]>;
