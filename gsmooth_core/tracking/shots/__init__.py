"""Where one shot ends and another begins: cuts, dissolves, fades."""
