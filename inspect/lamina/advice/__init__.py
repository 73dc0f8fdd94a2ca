"""What to do about an image: named rules, each with the bytes that following it saves, and none counted twice."""
