"""Who a face is: the network made from a public-domain one, and its errors measured."""
