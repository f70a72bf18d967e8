"""The words that generated names are made of."""

ADJECTIVES = tuple(
    """
    able agile airy alert amber ample apt aqua arctic ardent astute autumn azure balanced bold brave breezy bright
    brisk bronze calm candid careful caring casual cheerful chestnut chief civil classic clean clear clever coastal
    cobalt cool copper coral cordial cosmic cosy courteous crafty crimson crisp cunning curious daring dapper deft
    devoted diligent discreet dreamy eager earnest easy ebony elated electric elegant emerald eminent energetic epic
    esteemed exact exotic expert fabled fair faithful fancy fearless festive fluent fond formal frank free fresh
    friendly frosty frugal gallant generous gentle genuine gilded glad gleaming glossy golden graceful grand grateful
    groovy handy happy hardy hasty hazel helpful honest hopeful humble icy ideal indigo inventive ivory jade jaunty
    jolly jovial joyful keen kind laudable lavender lenient level light lilac lively logical loyal lucid lucky lunar
    magenta magnetic majestic marble maroon meek mellow merry mild mindful mint misty modest musical mustard natural
    neat nimble noble northern novel oaken observant olive open orange organic ornate patient peaceful pearl peppy
    pine placid playful pleasant plucky plum poetic polished polite precise prime proper proud prudent purple quaint
    quick quiet radiant rapid rare ready refined regal relaxed robust rosy royal ruby rugged rustic sable saffron
    sage sapphire satin scarlet scenic secure serene sharp shiny silent silky silver sincere sleek smart smooth snappy
    snowy solar solid sparkling speedy spirited splendid spry stalwart stately steady stellar stoic sturdy sublime
    sunny swift tactful tan teal tender thankful thorough tidy topaz tranquil trim true trusty turquoise umber upbeat
    urbane useful valiant velvet vibrant vigilant violet vivid warm watchful whimsical wise witty worthy young zesty
    """.split()
)

ANIMALS = tuple(
    """
    addax albatross alpaca anchovy anteater antelope armadillo avocet axolotl badger barbet barracuda basilisk bat
    bear bee beetle bison bittern boar bobcat bonobo bream buffalo bulldog bunting bustard butterfly buzzard camel
    canary capybara caracal cardinal caribou carp cassowary cat catfish chameleon chamois cheetah chickadee chinchilla
    chipmunk cicada civet clam cobra cockatoo cod collie condor coot cormorant corgi cougar cow coyote crab crane
    cricket crocodile crow cuckoo curlew dachshund deer dingo dogfish dolphin donkey dormouse dotterel dove dragonfly
    duck eagle earwig echidna eel egret eland elephant elk emu ermine falcon ferret finch firefly flamingo flounder
    fossa fox frog fulmar gannet gar gazelle gecko gerbil gharial gibbon giraffe gnu goat goldfinch goose gopher
    goshawk grebe greyhound grouse guanaco guillemot gull guppy haddock halibut hamster hare harrier hawk hedgehog
    heron herring hippo hornbill hornet horse hoopoe hummingbird hyrax ibex ibis iguana impala jackal jackdaw jaguar
    jay jellyfish kakapo kangaroo kestrel kingfisher kite kiwi koala kudu lapwing lark lemming lemur leopard linnet
    lion lizard llama lobster loon loris lynx lyrebird macaque macaw mackerel magpie mallard manatee mandrill mantis
    marlin marmoset marmot marten meerkat merlin mink minnow mole mongoose moose moth mouse mule narwhal newt
    nightingale numbat nuthatch ocelot octopus okapi opossum orca oriole oryx osprey ostrich otter owl ox oyster
    panda pangolin panther parrot partridge peacock pelican penguin perch petrel pheasant pigeon pika pike platypus
    plover polecat pony porcupine porpoise puffin puma python quail quokka quoll rabbit raccoon ram raven ray
    reindeer robin rook ruff salamander salmon sandpiper sardine scallop scorpion seahorse seal serval shark sheep
    shrew shrimp skate skink skua skylark sloth snail snipe sparrow spider squid squirrel starfish starling stingray
    stoat stork sturgeon swallow swan swift tamarin tapir tarsier tern terrapin thrush tiger toad tortoise toucan
    trout tuna turbot turtle vicuna viper vole vulture wagtail wallaby walrus warbler weasel whale wildcat wolf
    wombat woodcock woodpecker wren yak zebra
    """.split()
)
