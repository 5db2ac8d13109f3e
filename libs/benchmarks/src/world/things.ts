/** What a thing is; facts and questions go by it. */
export type Group = 'animal' | 'food' | 'sport' | 'vehicle' | 'tool' | 'instrument';

/** Something known about a thing: the usual answer first, then others that people give. */
export type Fact = readonly string[];

/** An object of the drawn world. */
export interface Thing {
  name: string;
  /** Its icon's name in the icon sets. */
  icon: string;
  group: Group;
  /** By relation: "eats", "home", "legs", ... */
  facts: Readonly<Record<string, Fact>>;
  /** What can be said of it when choosing among several: "citrus fruit", "can fly", ... */
  tags: readonly string[];
}

/**
 * Facts by group: `relations` names the columns of the rows `name: icon | column | column ... | tags`; answers in a column
 * are parted by "/", tags by ",", and a "-" is an empty column.
 */
const TABLES: Readonly<Record<Group, { relations: readonly string[]; rows: string }>> = {
  animal: {
    relations: ['eats', 'home', 'legs', 'young'],
    rows: `
      cow: cow | grass/hay | farm/barn | 4/four | calf | mammal,farm animal,gives milk
      horse: horse | hay/grass | stable/farm | 4/four | foal | mammal,farm animal,can be ridden
      pig: pig | corn/anything | farm/sty | 4/four | piglet | mammal,farm animal
      sheep: ewe | grass/hay | farm/field | 4/four | lamb | mammal,farm animal,gives wool
      goat: goat | grass/leaves | farm/mountain | 4/four | kid | mammal,farm animal
      rooster: rooster | seeds/corn | farm/coop | 2/two | chick | bird,farm animal
      duck: duck | bread/seeds | pond/water | 2/two | duckling | bird
      dog: dog | bones/meat | house/kennel | 4/four | puppy | mammal,pet
      cat: cat | fish/mice | house/home | 4/four | kitten | mammal,pet
      rabbit: rabbit-face | carrots/grass | burrow/hole | 4/four | bunny/kit | mammal,pet
      elephant: elephant | grass/leaves | africa/savanna | 4/four | calf | mammal,wild animal,has a trunk
      lion: lion | meat/zebra | africa/savanna | 4/four | cub | mammal,wild animal
      tiger: tiger | meat/deer | jungle/asia | 4/four | cub | mammal,wild animal,has stripes
      monkey: monkey | bananas/fruit | jungle/trees | - | - | mammal,wild animal
      panda: panda | bamboo | china/forest | 4/four | cub | mammal,wild animal
      koala: koala | eucalyptus/leaves | australia/trees | 4/four | joey | mammal,wild animal
      bear: bear | honey/fish | forest/cave | 4/four | cub | mammal,wild animal
      penguin: penguin | fish | antarctica/ice | 2/two | chick | bird
      camel: camel | grass/hay | desert/sand | 4/four | calf | mammal,lives in the desert
      frog: frog | flies/insects | pond/water | 4/four | tadpole | amphibian
      turtle: turtle | plants/lettuce | water/ocean | 4/four | hatchling | reptile,has a shell
      snake: snake | mice/rats | desert/grass | 0/none | hatchling | reptile
      shark: shark | fish/seals | ocean/sea | 0/none | pup | lives in the ocean
      whale: spouting-whale | krill/plankton | ocean/sea | 0/none | calf | lives in the ocean
      octopus: octopus | crabs/fish | ocean/sea | 8/eight | - | lives in the ocean
      crab: crab | algae/fish | beach/ocean | 10/8 | - | -
      owl: owl | mice/rats | tree/forest | 2/two | owlet | bird,can fly
      eagle: eagle | fish/rabbits | mountains/nest | 2/two | eaglet | bird,can fly
      bat: bat | insects/fruit | cave/caves | 2/two | pup | can fly
      bee: honeybee | nectar/pollen | hive/beehive | 6/six | larva | insect,can fly,makes honey
      butterfly: butterfly | nectar/flowers | garden/flowers | 6/six | caterpillar | insect,can fly
      spider: spider | flies/insects | web | 8/eight | spiderling | spins a web
      snail: snail | leaves/plants | garden/shell | 0/none | - | has a shell
      mouse: mouse | cheese/seeds | hole/field | 4/four | pup | mammal`,
  },
  food: {
    relations: ['grows', 'makes', 'kind'],
    rows: `
      apple: red-apple | tree/trees | cider/juice | fruit | fruit
      orange: tangerine | tree/trees | juice/orange juice | fruit | fruit,citrus fruit
      lemon: lemon | tree/trees | lemonade/juice | fruit | fruit,citrus fruit
      banana: banana | tree/plant | bread/smoothie | fruit | fruit
      grapes: grapes | vine/vines | wine/juice | fruit | fruit
      strawberry: strawberry | plant/bush | jam/jelly | fruit | fruit
      pineapple: pineapple | plant/ground | juice/pizza | fruit | fruit
      watermelon: watermelon | vine/ground | juice | fruit | fruit
      cherries: cherries | tree/trees | pie/jam | fruit | fruit
      peach: peach | tree/trees | pie/cobbler | fruit | fruit
      pear: pear | tree/trees | juice | fruit | fruit
      carrot: carrot | underground/ground | cake/soup | vegetable | vegetable
      potato: potato | underground/ground | fries/chips | vegetable | vegetable
      tomato: tomato | vine/plant | ketchup/sauce | - | -
      corn: ear-of-corn | field/stalk | popcorn | vegetable | vegetable
      eggplant: eggplant | plant | parmesan | vegetable | vegetable
      mushroom: mushroom | forest/ground | soup | fungus | fungus
      cheese: cheese-wedge | - | pizza/sandwich | dairy | dairy product
      bread: bread | - | toast/sandwich | grain/carbs | baked
      egg: egg | - | omelet/cake | protein | comes from a chicken
      ice cream: ice-cream | - | sundae | dessert | dessert,served frozen
      doughnut: doughnut | - | - | dessert | dessert
      cake: birthday-cake | - | - | dessert | dessert,eaten at birthdays`,
  },
  sport: {
    relations: ['sport', 'place', 'players'],
    rows: `
      soccer ball: soccer-ball | soccer/football | field/pitch | 11/eleven | is kicked
      basketball: basketball | basketball | court/gym | 5/five | is thrown through a hoop
      tennis ball: tennis | tennis | court | - | is hit with a racket
      baseball: baseball | baseball | field/diamond | 9/nine | is hit with a bat
      football: american-football | football/american football | field/stadium | 11/eleven | -
      volleyball: volleyball | volleyball | court/beach | 6/six | -
      bowling ball: bowling | bowling | alley/bowling alley | - | knocks down pins
      hockey stick: ice-hockey | hockey/ice hockey | ice/rink | 6/six | is used on ice
      boxing glove: boxing-glove | boxing | ring/boxing ring | - | is worn on the hand
      shuttlecock: badminton | badminton | court | - | -
      paddle: ping-pong | ping pong/table tennis | table | - | -`,
  },
  vehicle: {
    relations: ['where', 'driver', 'wheels'],
    rows: `
      car: automobile | road/street | driver | 4/four | -
      bus: bus | road/street | driver/bus driver | 4/6 | carries many people by road
      bicycle: bicycle | road/path | cyclist/rider | 2/two | has pedals
      motorcycle: motorcycle | road/street | rider/biker | 2/two | -
      airplane: airplane | sky/air | pilot | - | can fly
      helicopter: helicopter | sky/air | pilot | - | can fly
      sailboat: sailboat | water/sea | sailor/captain | 0/none | travels on water
      ship: ship | water/ocean | captain | 0/none | travels on water
      rocket: rocket | space | astronaut | 0/none | goes to space
      train: locomotive | tracks/rails | engineer/conductor | - | runs on rails
      tractor: tractor | farm/field | farmer | 4/four | is used on a farm
      fire truck: fire-engine | road/street | firefighter/fireman | - | puts out fires
      ambulance: ambulance | road/street | paramedic/driver | 4/four | takes people to the hospital
      police car: police-car | road/street | police/policeman | 4/four | chases criminals`,
  },
  tool: {
    relations: ['use', 'user'],
    rows: `
      hammer: hammer | nails/hitting nails | carpenter/builder | is used on nails
      scissors: scissors | cutting | tailor/hairdresser | cuts
      key: key | unlocking/opening doors | - | opens a lock
      umbrella: umbrella | rain/staying dry | - | keeps you dry
      camera: camera | photos/taking pictures | photographer | takes pictures
      telescope: telescope | stars/seeing stars | astronomer | is used to see stars
      microscope: microscope | science/research | scientist | makes small things look big
      thermometer: thermometer | temperature/measuring temperature | doctor/nurse | measures temperature
      pencil: pencil | writing/drawing | student/writer | writes
      paintbrush: paintbrush | painting | painter/artist | is used with paint
      alarm clock: alarm-clock | waking up/telling time | - | tells time
      light bulb: light-bulb | light/lighting | - | gives light
      wrench: wrench | bolts/tightening | mechanic/plumber | turns bolts
      syringe: syringe | injections/shots | doctor/nurse | is used by a nurse
      bed: bed | sleeping/sleep | - | is for sleeping
      bathtub: bathtub | bathing/washing | - | is filled with water
      shopping cart: shopping-cart | shopping/groceries | shopper/customer | is found in a supermarket
      tent: tent | camping | camper/hiker | is for camping
      laptop: laptop | work/computing | - | is a computer`,
  },
  instrument: {
    relations: ['played', 'family'],
    rows: `
      guitar: guitar | strumming/fingers | string/strings | string instrument
      violin: violin | bow | string/strings | string instrument,is played with a bow
      drum: drum | sticks/drumsticks | percussion | percussion instrument
      trumpet: trumpet | blowing/mouth | brass/wind | brass instrument
      saxophone: saxophone | blowing/mouth | woodwind/wind | -
      keyboard: musical-keyboard | fingers/hands | keyboard/keys | has black and white keys`,
  },
};

/** All objects. */
export const THINGS: readonly Thing[] = (Object.keys(TABLES) as Group[]).flatMap((group) =>
  TABLES[group].rows
    .trim()
    .split('\n')
    .map((row) => readRow(group, row.trim())),
);

function readRow(group: Group, row: string): Thing {
  const [name = '', rest = ''] = row.split(': ');
  const [icon = '', ...columns] = rest.split(' | ');
  const facts = TABLES[group].relations.map((relation, i) => [relation, columns[i] ?? '-'] as const);
  const tags = columns[TABLES[group].relations.length] ?? '-';
  return {
    name,
    icon,
    group,
    facts: Object.fromEntries(
      facts.filter(([, cell]) => cell !== '-').map(([relation, cell]) => [relation, cell.split('/')]),
    ),
    tags: tags === '-' ? [] : tags.split(','),
  };
}
