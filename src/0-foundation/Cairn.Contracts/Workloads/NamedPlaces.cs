using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Cairn.Contracts.Offers;

namespace Cairn.Contracts.Workloads;

/// <summary>
/// Cities that a workload file may name as where its users are. Coordinates are of the city centres, rounded to a tenth of a degree (11 km,
/// 0.1 ms in fibre); they are common geographic knowledge, in the public domain. Case and accents do not matter.
/// </summary>
public static class NamedPlaces
{
    private const string Table = """
        Amsterdam 52.4 4.9;Athens 38.0 23.7;Barcelona 41.4 2.2;Belgrade 44.8 20.5;Berlin 52.5 13.4;Bern 46.9 7.4;Birmingham 52.5 -1.9;
        Bratislava 48.1 17.1;Brussels 50.8 4.4;Bucharest 44.4 26.1;Budapest 47.5 19.0;Cologne 50.9 7.0;Copenhagen 55.7 12.6;
        Dublin 53.3 -6.3;Dusseldorf 51.2 6.8;Edinburgh 55.9 -3.2;Falkenstein 50.5 12.4;Frankfurt 50.1 8.7;Gdansk 54.4 18.6;Geneva 46.2 6.1;
        Gothenburg 57.7 12.0;Hamburg 53.6 10.0;Helsinki 60.2 24.9;Istanbul 41.0 29.0;Kyiv 50.5 30.5;Krakow 50.1 19.9;Lille 50.6 3.1;
        Lisbon 38.7 -9.1;Ljubljana 46.1 14.5;London 51.5 -0.1;Luxembourg 49.6 6.1;Lyon 45.8 4.8;Madrid 40.4 -3.7;Malaga 36.7 -4.4;
        Manchester 53.5 -2.2;Marseille 43.3 5.4;Milan 45.5 9.2;Moscow 55.8 37.6;Munich 48.1 11.6;Naples 40.9 14.3;Nuremberg 49.5 11.1;
        Oslo 59.9 10.8;Paris 48.9 2.4;Porto 41.1 -8.6;Prague 50.1 14.4;Reykjavik 64.1 -21.9;Riga 56.9 24.1;Rome 41.9 12.5;
        Rotterdam 51.9 4.5;Saint Petersburg 59.9 30.3;Seville 37.4 -6.0;Sofia 42.7 23.3;Stockholm 59.3 18.1;Strasbourg 48.6 7.8;
        Stuttgart 48.8 9.2;Tallinn 59.4 24.8;Toulouse 43.6 1.4;Turin 45.1 7.7;Valencia 39.5 -0.4;Vienna 48.2 16.4;Vilnius 54.7 25.3;
        Warsaw 52.2 21.0;Zagreb 45.8 16.0;Zurich 47.4 8.5;Albuquerque 35.1 -106.7;Ashburn 39.0 -77.5;Atlanta 33.7 -84.4;Austin 30.3 -97.7;
        Boston 42.4 -71.1;Charlotte 35.2 -80.8;Chicago 41.9 -87.6;Cincinnati 39.1 -84.5;Cleveland 41.5 -81.7;Columbus 40.0 -83.0;
        Dallas 32.8 -96.8;Denver 39.7 -105.0;Des Moines 41.6 -93.6;Detroit 42.3 -83.0;Honolulu 21.3 -157.9;Houston 29.8 -95.4;
        Indianapolis 39.8 -86.2;Jacksonville 30.3 -81.7;Kansas City 39.1 -94.6;Las Vegas 36.2 -115.1;Los Angeles 34.1 -118.2;
        Memphis 35.1 -90.0;Miami 25.8 -80.2;Minneapolis 45.0 -93.3;Nashville 36.2 -86.8;New Orleans 30.0 -90.1;New York 40.7 -74.0;
        Orlando 28.5 -81.4;Philadelphia 40.0 -75.2;Phoenix 33.4 -112.1;Pittsburgh 40.4 -80.0;Portland 45.5 -122.7;Raleigh 35.8 -78.6;
        Reno 39.5 -119.8;Sacramento 38.6 -121.5;Salt Lake City 40.8 -111.9;San Antonio 29.4 -98.5;San Diego 32.7 -117.2;
        San Francisco 37.8 -122.4;San Jose 37.3 -121.9;Seattle 47.6 -122.3;St. Louis 38.6 -90.2;Tampa 28.0 -82.5;Washington 38.9 -77.0;
        Calgary 51.0 -114.1;Edmonton 53.5 -113.5;Montreal 45.5 -73.6;Ottawa 45.4 -75.7;Quebec 46.8 -71.2;Toronto 43.7 -79.4;
        Vancouver 49.3 -123.1;Winnipeg 49.9 -97.1;Bogota 4.7 -74.1;Brasilia -15.8 -47.9;Buenos Aires -34.6 -58.4;Caracas 10.5 -66.9;
        Fortaleza -3.7 -38.5;Guadalajara 20.7 -103.3;Havana 23.1 -82.4;Lima -12.0 -77.0;Medellin 6.2 -75.6;Mexico City 19.4 -99.1;
        Montevideo -34.9 -56.2;Monterrey 25.7 -100.3;Panama City 9.0 -79.5;Queretaro 20.6 -100.4;Quito -0.2 -78.5;
        Rio de Janeiro -22.9 -43.2;San Juan 18.5 -66.1;Santiago -33.4 -70.7;Sao Paulo -23.6 -46.6;Accra 5.6 -0.2;Addis Ababa 9.0 38.8;
        Algiers 36.8 3.1;Cairo 30.0 31.2;Cape Town -33.9 18.4;Casablanca 33.6 -7.6;Dakar 14.7 -17.5;Dar es Salaam -6.8 39.3;
        Durban -29.9 31.0;Johannesburg -26.2 28.0;Kampala 0.3 32.6;Kigali -1.9 30.1;Lagos 6.5 3.4;Nairobi -1.3 36.8;Tunis 36.8 10.2;
        Abu Dhabi 24.5 54.4;Amman 32.0 35.9;Baku 40.4 49.9;Beirut 33.9 35.5;Doha 25.3 51.5;Dubai 25.2 55.3;Jeddah 21.5 39.2;
        Jerusalem 31.8 35.2;Kuwait City 29.4 48.0;Manama 26.2 50.6;Muscat 23.6 58.4;Riyadh 24.7 46.7;Tbilisi 41.7 44.8;Tehran 35.7 51.4;
        Tel Aviv 32.1 34.8;Almaty 43.2 76.9;Bangalore 13.0 77.6;Bangkok 13.8 100.5;Beijing 39.9 116.4;Chengdu 30.6 104.1;Chennai 13.1 80.3;
        Colombo 6.9 79.9;Delhi 28.7 77.1;Dhaka 23.8 90.4;Guangzhou 23.1 113.3;Hanoi 21.0 105.8;Ho Chi Minh City 10.8 106.6;
        Hong Kong 22.3 114.2;Hyderabad 17.4 78.5;Jakarta -6.2 106.8;Johor Bahru 1.5 103.7;Karachi 24.9 67.0;Kathmandu 27.7 85.3;
        Kolkata 22.6 88.4;Kuala Lumpur 3.1 101.7;Lahore 31.5 74.3;Manila 14.6 121.0;Mumbai 19.1 72.9;Nagoya 35.2 136.9;Osaka 34.7 135.5;
        Pune 18.5 73.9;Seoul 37.6 127.0;Shanghai 31.2 121.5;Shenzhen 22.5 114.1;Singapore 1.4 103.8;Taipei 25.0 121.6;Tashkent 41.3 69.2;
        Tokyo 35.7 139.7;Adelaide -34.9 138.6;Auckland -36.8 174.8;Brisbane -27.5 153.0;Canberra -35.3 149.1;Melbourne -37.8 145.0;
        Perth -32.0 115.9;Sydney -33.9 151.2;Wellington -41.3 174.8
        """;

    /// <summary>Other names of cities above.</summary>
    private static readonly (string Name, string City)[] s_others =
    [
        ("Kiev", "Kyiv"), ("NYC", "New York"), ("New York City", "New York"), ("Washington DC", "Washington"),
        ("Bengaluru", "Bangalore"), ("New Delhi", "Delhi"), ("Saigon", "Ho Chi Minh City"), ("Köln", "Cologne"),
        ("München", "Munich"), ("Wien", "Vienna"), ("Roma", "Rome"), ("Milano", "Milan"), ("Praha", "Prague"), ("Lisboa", "Lisbon"),
        ("Nürnberg", "Nuremberg"), ("St Louis", "St. Louis"), ("Frankfurt am Main", "Frankfurt"), ("Northern Virginia", "Ashburn"),
        ("Tel Aviv-Yafo", "Tel Aviv"), ("St. Petersburg", "Saint Petersburg"),
    ];

    private static readonly FrozenDictionary<string, (string Name, GeoPoint Point)> s_places = Load();

    /// <summary>The names of the table, each city once.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. s_places.Values.Select(place => place.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <returns>Null where the table has no such place.</returns>
    public static GeoPoint? Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length <= 64 && s_places.TryGetValue(Plain(name), out var place) ? place.Point : null;
    }

    /// <summary>At most two names of the table that are written almost so.</summary>
    internal static IReadOnlyList<string> Near(string name)
    {
        if (name.Length > 64)
            return [];
        var plain = Plain(name);
        var first = Nearest.Find(plain, s_places.Keys);
        if (first is null)
            return [];
        var second = Nearest.Find(plain, s_places.Keys.Where(key => key != first && s_places[key].Name != s_places[first].Name));
        return second is null ? [s_places[first].Name] : [s_places[first].Name, s_places[second].Name];
    }

    private static FrozenDictionary<string, (string, GeoPoint)> Load()
    {
        var places = new Dictionary<string, (string, GeoPoint)>(StringComparer.Ordinal);
        foreach (var row in Table.Split([';', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var words = row.Split(' ');
            var name = string.Join(' ', words[..^2]);
            var point =
                new GeoPoint(double.Parse(words[^2], CultureInfo.InvariantCulture), double.Parse(words[^1], CultureInfo.InvariantCulture));
            places.Add(Plain(name), (name, point));
        }

        foreach (var (name, city) in s_others)
            places.Add(Plain(name), places[Plain(city)]);
        return places.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>Lower case, without accents; <c>_</c> and <c>-</c> are blanks.</summary>
    private static string Plain(string name)
    {
        var plain = new StringBuilder(name.Length);
        foreach (var c in name)
            plain.Append(Unaccented(char.ToLowerInvariant(c)));
        return plain.ToString();
    }

    /// <summary>A table in place of Unicode decomposition, which is switched off with globalization data.</summary>
    private static char Unaccented(char c) => c switch
    {
        '_' or '-' => ' ',
        'á' or 'à' or 'â' or 'ä' or 'ã' or 'å' or 'ā' or 'ą' => 'a',
        'ç' or 'ć' or 'č' => 'c',
        'é' or 'è' or 'ê' or 'ë' or 'ė' or 'ę' or 'ě' => 'e',
        'í' or 'ì' or 'î' or 'ï' or 'ı' => 'i',
        'ł' => 'l',
        'ñ' or 'ń' => 'n',
        'ó' or 'ò' or 'ô' or 'ö' or 'õ' or 'ø' => 'o',
        'š' or 'ś' or 'ş' => 's',
        'ú' or 'ù' or 'û' or 'ü' or 'ū' => 'u',
        'ý' => 'y',
        'ž' or 'ź' or 'ż' => 'z',
        _ => c,
    };
}
