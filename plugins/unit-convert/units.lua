-- The units, as data.
--
-- Each is { symbols, names, definition, options… }.  Symbols are matched as written,
-- names in any case, in singular and regular plural.  A definition is an expression in
-- other units, with exact numbers: what is defined by measurement says `measured`.
-- `si` allows the prefixes of the SI, `binary` those of IEC 80000-13 (Ki, Mi, …).
-- The first symbol is the one the plugin writes.

local units = {}

-- Symbol, name, power of ten.
units.si_prefixes = {
  { "Q", "quetta", 30 }, { "R", "ronna", 27 }, { "Y", "yotta", 24 }, { "Z", "zetta", 21 },
  { "E", "exa", 18 }, { "P", "peta", 15 }, { "T", "tera", 12 }, { "G", "giga", 9 },
  { "M", "mega", 6 }, { "k", "kilo", 3 }, { "h", "hecto", 2 }, { "da", "deca", 1 },
  { "da", "deka", 1 }, { "d", "deci", -1 }, { "c", "centi", -2 }, { "m", "milli", -3 },
  { "µ", "micro", -6 }, { "μ", "micro", -6 }, { "u", "micro", -6 }, { "n", "nano", -9 },
  { "p", "pico", -12 }, { "f", "femto", -15 }, { "a", "atto", -18 }, { "z", "zepto", -21 },
  { "y", "yocto", -24 }, { "r", "ronto", -27 }, { "q", "quecto", -30 },
}

-- Symbol, name, power of 1024.
units.binary_prefixes = {
  { "Ki", "kibi", 1 }, { "Mi", "mebi", 2 }, { "Gi", "gibi", 3 }, { "Ti", "tebi", 4 },
  { "Pi", "pebi", 5 }, { "Ei", "exbi", 6 }, { "Zi", "zebi", 7 }, { "Yi", "yobi", 8 },
}

-- `base` is the index in dimensions.bases.
units.all = {
  -- the base units; the gram, not the kilogram, takes prefixes
  { "m", "metre meter", base = 2, si = true },
  { "g", "gram gramme", base = 1, scale = "0.001", si = true },
  { "s sec", "second", base = 3, si = true },
  { "A", "ampere amp", base = 4, si = true },
  { "K", "kelvin", base = 5, si = true },
  { "mol", "mole", base = 6, si = true },
  { "cd", "candela", base = 7, si = true },
  { "rad", "radian", base = 8, si = true },
  { "bit b", "bit", base = 9, si = "large", binary = true },

  -- numbers
  { "%", "percent", "0.01" },
  { "‰", "permille", "0.001" },
  { "ppm", "", "1e-6" },
  { "ppb", "", "1e-9" },
  { "pi π", "", pi = 1 },

  -- the SI's derived units with names of their own
  { "Hz", "hertz", "1/s", si = true },
  { "N", "newton", "kg m/s²", si = true },
  { "Pa", "pascal", "N/m²", si = true },
  { "J", "joule", "N m", si = true },
  { "W", "watt", "J/s", si = true },
  { "C", "coulomb", "A s", si = true },
  { "V", "volt", "W/A", si = true },
  { "F", "farad", "C/V", si = true },
  { "Ω Ω ohm", "ohm", "V/A", si = true },
  { "S", "siemens", "A/V", si = true },
  { "Wb", "weber", "V s", si = true },
  { "T", "tesla", "Wb/m²", si = true },
  { "H", "henry henries", "Wb/A", si = true },
  { "sr", "steradian", "rad²" },
  { "lm", "lumen", "cd sr", si = true },
  { "lx", "lux", "lm/m²", si = true },
  { "Bq", "becquerel", "1/s", si = true },
  { "Gy", "gray", "J/kg", si = true },
  { "Sv", "sievert", "J/kg", si = true },
  { "kat", "katal", "mol/s", si = true },

  -- temperature: `offset` is absolute zero, below the scale's own zero, in its degrees
  { "°C ℃ degC", "celsius degree_celsius degrees_celsius", "K", offset = "273.15" },
  { "°F ℉ degF", "fahrenheit degree_fahrenheit degrees_fahrenheit", "5/9*K", offset = "459.67" },
  { "°R degR", "rankine", "5/9*K" },
  { "Δ°C delta_degC", "", "K", difference = true },
  { "Δ°F delta_degF", "", "5/9*K", difference = true },

  -- length
  { "in", "inch inches", "0.0254 m" },
  { "ft", "foot feet", "12 in" },
  { "yd", "yard", "3 ft" },
  { "mi", "mile", "1760 yd" },
  { "nmi NM", "nautical_mile", "1852 m" },
  { "mil thou", "", "0.001 in" },
  { "fathom", "fathom", "6 ft" },
  { "rod", "rod", "16.5 ft" },
  { "chain", "chain", "66 ft" },
  { "furlong", "furlong", "660 ft" },
  { "typographic_point", "", "1/72*in" },
  { "Å Å", "angstrom ångström", "1e-10 m" },
  { "micron", "micron", "1e-6 m" },
  { "au AU", "astronomical_unit", "149597870700 m" },
  { "ly", "light_year lightyear", "c a_j" },
  { "pc", "parsec", "648000/pi*au", si = true },

  -- mass
  { "t", "tonne metric_ton", "1000 kg", si = true },
  { "lb lbs lbm", "pound", "0.45359237 kg" },
  { "oz", "ounce", "1/16*lb" },
  { "st", "stone stones", "14 lb" },
  { "gr", "grain", "1/7000*lb" },
  { "slug", "slug", "lbf s²/ft" },
  { "ton_us", "short_ton", "2000 lb" },
  { "ton_uk", "long_ton", "2240 lb" },
  { "ozt", "troy_ounce", "480 gr" },
  { "ct", "carat", "0.2 g" },
  { "Da u amu", "dalton", "1.66053906892e-27 kg", si = true, measured = true }, -- CODATA 2022

  -- time
  { "min", "minute", "60 s" },
  { "h hr", "hour", "60 min" },
  { "d", "day", "24 h" },
  { "wk", "week", "7 d" },
  { "fortnight", "fortnight", "14 d" },
  { "a_j yr", "year julian_year", "365.25 d" },
  { "month", "month", "1/12*yr" },
  { "decade", "decade", "10 yr" },
  { "century", "century centuries", "100 yr" },

  -- angle and turning
  { "° deg", "degree", "pi/180*rad" },
  { "arcmin", "arcminute", "1/60*deg" },
  { "arcsec", "arcsecond", "1/3600*deg" },
  { "gon grad", "gradian", "pi/200*rad" },
  { "turn rev", "turn revolution", "2 pi rad" },
  { "rpm", "", "rev/min" },
  { "rps", "", "rev/s" },

  -- information
  { "B", "byte octet", "8 bit", si = "large", binary = true },
  { "nibble", "nibble", "4 bit" },
  { "bps", "", "bit/s", si = "large", binary = true },

  -- area and volume
  { "ha", "hectare", "10000 m²" },
  { "acre", "acre", "43560 ft²" },
  { "sqft", "", "ft²" },
  { "sqmi", "", "mi²" },
  { "L l ℓ", "litre liter", "0.001 m³", si = true },
  { "cc", "", "cm³" },
  { "gal", "gallon gallon_us", "231 in³" },
  { "qt", "quart", "1/4*gal" },
  { "pint", "pint", "1/8*gal" },
  { "cup", "cup", "1/16*gal" },
  { "floz fl_oz", "fluid_ounce", "1/128*gal" },
  { "tbsp", "tablespoon", "1/256*gal" },
  { "tsp", "teaspoon", "1/768*gal" },
  { "gal_uk", "imperial_gallon gallon_uk", "4.54609 L" },
  { "pint_uk", "imperial_pint", "1/8*gal_uk" },
  { "floz_uk", "imperial_fluid_ounce", "1/160*gal_uk" },
  { "bbl", "barrel", "42 gal" },
  { "bu", "bushel", "2150.42 in³" },

  -- speed and acceleration
  { "mph", "", "mi/h" },
  { "kph kmh", "", "km/h" },
  { "fps", "", "ft/s" },
  { "kn", "knot", "nmi/h" },
  { "c", "speed_of_light", "299792458 m/s" },
  { "g0", "standard_gravity", "9.80665 m/s²" },

  -- force and pressure
  { "lbf", "pound_force", "lb g0" },
  { "ozf", "ounce_force", "oz g0" },
  { "kgf kp", "kilogram_force kilopond", "kg g0" },
  { "kip", "kip", "1000 lbf" },
  { "dyn", "dyne", "1e-5 N", si = true },
  { "pdl", "poundal", "lb ft/s²" },
  { "bar", "bar", "100000 Pa", si = true },
  { "atm", "standard_atmosphere", "101325 Pa" },
  { "Torr torr", "", "1/760*atm" },
  { "mmHg", "", "133.322387415 Pa" },
  { "inHg", "", "25.4 mmHg" },
  { "psi", "", "lbf/in²" },
  { "ksi", "", "1000 psi" },

  -- energy and power
  { "eV", "electronvolt electron_volt", "1.602176634e-19 J", si = true },
  { "cal", "calorie", "4.184 J", si = true },
  { "Cal", "food_calorie", "4184 J" },
  { "Wh", "watt_hour watthour", "W h", si = true },
  { "Ah", "ampere_hour amp_hour", "A h", si = true },
  { "BTU Btu", "british_thermal_unit", "1055.05585262 J" },
  { "therm", "therm", "100000 BTU" },
  { "erg", "erg", "1e-7 J", si = true },
  { "tTNT", "ton_tnt", "4.184e9 J", si = true },
  { "hp", "horsepower", "550 ft lbf/s" },
  { "PS", "metric_horsepower", "75 kg g0 m/s" },
  { "VA", "volt_ampere", "V A", si = true },

  -- others
  { "P", "poise", "0.1 Pa s", si = true },
  { "St", "stokes", "1e-4 m²/s", si = true },
  { "G", "gauss", "1e-4 T", si = true },
  { "Ci", "curie", "3.7e10 Bq", si = true },
  { "rem", "rem", "0.01 Sv", si = true },
  { "M", "molar", "mol/L", si = true },
  { "mpg", "", "mi/gal" },
  { "mpg_uk", "", "mi/gal_uk" },
  { "dpi ppi", "", "1/in" },
}

-- Spellings people use that are no unit here, and what to write.
units.refused = {
  dB = "decibels are logarithmic, not a multiple of a unit",
  dBm = "decibels are logarithmic, not a multiple of a unit",
  pH = "pH is logarithmic, not a multiple of a unit",
  Np = "nepers are logarithmic, not a multiple of a unit",
  KB = "write kB for 1000 bytes or KiB for 1024",
  Kb = "write kbit for 1000 bits or Kibit for 1024",
  kt = "write kn for knots or kilotonne for mass",
  KM = "write km",
  Km = "write km",
  KG = "write kg",
  Kg = "write kg",
  ton = "write t (1000 kg), ton_us (2000 lb) or ton_uk (2240 lb)",
  tons = "write t (1000 kg), ton_us (2000 lb) or ton_uk (2240 lb)",
  pt = "write pint or typographic_point",
}

return units
