using Cairn.Contracts.Offers;

namespace Cairn.Planning.Offers;

/// <summary>The columns of a snapshot. A row's number is not its offer's place in the order of ids: <see cref="IdRank"/> is.</summary>
internal sealed class SnapshotColumns
{
    /// <summary>Marks a price or a capacity that the offer does not have.</summary>
    public const int None = -1;

    public required Place[] Places { get; init; }

    /// <summary>By number of the place.</summary>
    public required long[] StorageMicros { get; init; }

    public required Standing[] Standings { get; init; }

    public required Terms[] Terms { get; init; }

    public required Shape[] Shapes { get; init; }

    /// <summary>Rows of shape s are <c>ShapeStart[s]</c> up to <c>ShapeStart[s + 1]</c>.</summary>
    public required int[] ShapeStart { get; init; }

    public required int[] RowOfIdRank { get; init; }

    public required int[] IdRank { get; init; }

    public required int[] ShapeOf { get; init; }

    public required int[] PlaceOf { get; init; }

    public required int[] StandingOf { get; init; }

    public required int[] TermsOf { get; init; }

    public required long[] OnDemand { get; init; }

    public required long[] Spot { get; init; }

    public required long[] Reserved { get; init; }

    public required int[] Capacity { get; init; }

    public int Rows => IdRank.Length;

    public static SnapshotColumns Of(Offer[] byId)
    {
        var numbers = new Numbering();
        var numbered = new Numbered[byId.Length];
        for (var i = 0; i < byId.Length; i++)
            numbered[i] = numbers.Of(byId[i]);
        var shapes = numbers.Shapes.Values();
        var shapeStart = new int[shapes.Length + 1];
        foreach (var n in numbered)
            shapeStart[n.Shape + 1]++;
        for (var s = 0; s < shapes.Length; s++)
            shapeStart[s + 1] += shapeStart[s];

        var idRank = new int[byId.Length];
        var rowOfIdRank = new int[byId.Length];
        var next = shapeStart.AsSpan(0, shapes.Length).ToArray();
        for (var rank = 0; rank < byId.Length; rank++)
        {
            var row = next[numbered[rank].Shape]++;
            idRank[row] = rank;
            rowOfIdRank[rank] = row;
        }

        var places = numbers.Places.Values();
        return new SnapshotColumns
        {
            Places = places,
            StorageMicros = Array.ConvertAll(places, p => p.StorageMicros),
            Standings = numbers.Standings.Values(),
            Terms = numbers.Terms.Values(),
            Shapes = shapes,
            ShapeStart = shapeStart,
            RowOfIdRank = rowOfIdRank,
            IdRank = idRank,
            ShapeOf = Array.ConvertAll(idRank, r => numbered[r].Shape),
            PlaceOf = Array.ConvertAll(idRank, r => numbered[r].Place),
            StandingOf = Array.ConvertAll(idRank, r => numbered[r].Standing),
            TermsOf = Array.ConvertAll(idRank, r => numbered[r].Terms),
            OnDemand = Array.ConvertAll(idRank, r => byId[r].OnDemand.MicrosPerHour),
            Spot = Array.ConvertAll(idRank, r => byId[r].Spot?.MicrosPerHour ?? None),
            Reserved = Array.ConvertAll(idRank, r => byId[r].Reserved?.MicrosPerHour ?? None),
            Capacity = Array.ConvertAll(idRank, r => byId[r].Capacity ?? None),
        };
    }

    private readonly record struct Numbered(int Place, int Standing, int Terms, int Shape);

    private readonly record struct PlaceKey(int Region, DeploymentModel Model, string Country, GeoPoint? Point, string Egress, long Storage);

    private readonly record struct StandingKey(
        string Certifications, double Availability, bool Offline, TrustTier Trust, InterconnectKind Interconnect, string Labels, bool Preemptible);

    private sealed class Numbering
    {
        private readonly ContentKeys _content = new();
        private readonly Interner<string, string> _providers = new();
        private readonly Interner<(int Provider, string Region), string> _regions = new();
        private readonly Dictionary<string, string> _lower = new(StringComparer.Ordinal);

        public Interner<PlaceKey, Place> Places { get; } = new();

        public Interner<StandingKey, Standing> Standings { get; } = new();

        public Interner<Terms, Terms> Terms { get; } = new();

        public Interner<Shape, Shape> Shapes { get; } = new();

        public Numbered Of(Offer offer)
        {
            var provider = _providers.Number(Lower(offer.Provider), () => offer.Provider);
            var region = _regions.Number((provider, Lower(offer.Region.Name)), () => offer.Region.Name);
            var storage = offer.StoragePerGigabyteMonth.Micros;
            var place = Places.Number(
                new PlaceKey(region, offer.DeploymentModel, offer.Region.Country, offer.Region.Point, _content.Of(offer.Egress), storage),
                () => new Place(offer.Provider, offer.DeploymentModel, offer.Region, offer.Egress, storage, provider, region));
            var standing = Standings.Number(
                new StandingKey(_content.Of(offer.Certifications), offer.AvailabilityPercent, offer.WorksOffline, offer.Trust,
                    offer.Interconnect, _content.Of(offer.Labels), offer.Preemptible),
                () => new Standing(offer.Certifications, offer.AvailabilityPercent, offer.WorksOffline, offer.Trust, offer.Interconnect,
                    offer.Labels, offer.Preemptible));
            var terms = Cairn.Planning.Offers.Terms.Of(offer);
            var shape = new Shape(offer.Accelerators, offer.Divisible, offer.Cpus, offer.MemoryBytes, offer.DiskBytes);
            return new Numbered(place, standing, Terms.Number(terms, () => terms), Shapes.Number(shape, () => shape));
        }

        private string Lower(string text)
        {
            if (!_lower.TryGetValue(text, out var lower))
                _lower.Add(text, lower = text.ToLowerInvariant());
            return lower;
        }
    }
}
