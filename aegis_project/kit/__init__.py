"""Small pure pieces that every part of Aegis shares."""
