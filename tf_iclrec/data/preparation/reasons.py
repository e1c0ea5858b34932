"""Why rows of a log are dropped: the words by which they are counted, and said to people."""

NO_USER = "without a user"
NO_ITEM = "without an item"
NO_TIME = "without a time"
NO_RATING = "without a rating"
TOO_EARLY = "before --since"
TOO_LATE = "not before --until"
RATED_LOW = "rated below --min-rating"
REPEATED = "repeated"
RARE = "of users or items with too few"
OTHER_GROUPS = "of users in other groups"

# What nobody has asked to leave out.
UNASKED = {NO_USER, NO_ITEM, NO_TIME, NO_RATING}
