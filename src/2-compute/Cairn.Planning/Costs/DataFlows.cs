using Cairn.Contracts.Offers;
using Cairn.Contracts.Workloads;
using Cairn.Planning.Offers;
using Cairn.Planning.Places;

namespace Cairn.Planning.Costs;

/// <summary>What the data of one workload costs at one place, and how long it travels.</summary>
internal readonly record struct DataCost(long Input, long Output, long NodeTraffic, long TransferSeconds);

/// <summary>
/// Inputs, outputs and the traffic between nodes, priced for any place. Stored data is free to read and write within its region; another region
/// of the provider pays the cross-region price; everything else pays the internet ladder of the place that the data leaves.
/// </summary>
internal sealed class DataFlows
{
    private readonly PlanningContext _context;
    private readonly Incoming[] _inputs;
    private readonly Outgoing[] _outputs;
    private readonly long _nodeTrafficBytes;

    private DataFlows(PlanningContext context, Incoming[] inputs, Outgoing[] outputs, long nodeTrafficBytes)
    {
        _context = context;
        _inputs = inputs;
        _outputs = outputs;
        _nodeTrafficBytes = nodeTrafficBytes;
    }

    public static DataFlows Of(WorkloadSpec workload, in WorkTime time, SnapshotColumns columns, PlanningContext context)
    {
        var before = new Dictionary<string, long>(StringComparer.OrdinalIgnoreCase);
        var inputs = workload.Inputs.Where(i => i.Step is null && i.SizeBytes > 0).Select(i =>
        {
            var end = DataEnd.Of(i.Place, context);
            var volume = Volume(context, end.Provider);
            // Inputs from one provider climb its ladder one after the other.
            var climbed = before.GetValueOrDefault(end.Provider ?? "");
            before[end.Provider ?? ""] = climbed + i.SizeBytes;
            var egress = end.Egress(context, columns, volume + climbed, i.SizeBytes);
            return new Incoming(i, end,
                EgressLadder.Cost(egress.Internet, volume + climbed, i.SizeBytes),
                Amounts.OfBytes(i.SizeBytes, egress.CrossRegionPerGigabyte.Micros));
        }).ToArray();
        var outputs = workload.Outputs.Where(o => o.SizeBytes > 0).Select(o => new Outgoing(o, DataEnd.Of(o.Place, context))).ToArray();
        var traffic = workload.Nodes > 1
            ? Amounts.MulDiv(Amounts.MulDiv(Math.Max(0, workload.NodeTrafficBytesPerHour), time.Machines, 1), time.Seconds, 3600)
            : 0;
        return new DataFlows(context, inputs, outputs, traffic);
    }

    public DataCost At(Place place)
    {
        long input = 0, output = 0, near = 0, far = 0;
        foreach (var i in _inputs)
        {
            var distance = i.End.To(place);
            input += i.Cost(distance);
            Count(distance, i.Data.SizeBytes, ref near, ref far);
        }

        var climbed = Volume(_context, place.Provider);
        foreach (var o in _outputs)
        {
            var distance = o.End.To(place);
            output += Leaving(place, distance, o.Data.SizeBytes, ref climbed);
            Count(distance, o.Data.SizeBytes, ref near, ref far);
        }

        var seconds = Seconds(near, _context.ProviderBytesPerSecond) + Seconds(far, _context.InternetBytesPerSecond);
        return new DataCost(input, output, NodeTrafficAt(place), seconds);
    }

    /// <summary>The single amounts that <see cref="At"/> adds up, with their arithmetic in words.</summary>
    public IEnumerable<(bool Input, long Amount, string Detail)> Detail(Place place)
    {
        foreach (var i in _inputs)
        {
            var distance = i.End.To(place);
            yield return (true, i.Cost(distance), $"{i.Data.Name}: {Words.Bytes(i.Data.SizeBytes)} from {i.End.Words}{Words.Of(distance)}");
        }

        var climbed = Volume(_context, place.Provider);
        foreach (var o in _outputs)
        {
            var distance = o.End.To(place);
            var amount = Leaving(place, distance, o.Data.SizeBytes, ref climbed);
            yield return (false, amount, $"{o.Data.Name}: {Words.Bytes(o.Data.SizeBytes)} to {o.End.Words}{Words.Of(distance)}");
        }
    }

    /// <summary>Each byte between nodes leaves one and enters another, and both ends are billed.</summary>
    public string NodeTrafficDetail(Place place) =>
        $"{Words.Bytes(_nodeTrafficBytes)} between nodes at {place.Egress.InRegionPerGigabyte}/GB out and in";

    private long NodeTrafficAt(Place place) =>
        _nodeTrafficBytes == 0 ? 0 : Amounts.MulDiv(_nodeTrafficBytes, place.Egress.InRegionPerGigabyte.Micros * 2, Amounts.BytesPerGigabyte);

    private static long Leaving(Place place, Distance distance, long bytes, ref long climbed)
    {
        if (distance != Distance.Internet)
            return distance == Distance.SameRegion ? 0 : Amounts.OfBytes(bytes, place.Egress.CrossRegionPerGigabyte.Micros);
        var cost = EgressLadder.Cost(place.Egress.Internet, climbed, bytes);
        climbed += bytes;
        return cost;
    }

    public static long Volume(PlanningContext context, string? provider) =>
        provider is not null && context.EgressBytesThisMonth.TryGetValue(provider, out var bytes) ? bytes : 0;

    private static void Count(Distance distance, long bytes, ref long near, ref long far)
    {
        if (distance == Distance.Internet)
            far += bytes;
        else
            near += bytes;
    }

    private static long Seconds(long bytes, long bytesPerSecond) => bytes == 0 ? 0 : (bytes - 1) / Math.Max(1, bytesPerSecond) + 1;

    private readonly record struct Incoming(DataSpec Data, DataEnd End, long Internet, long CrossRegion)
    {
        public long Cost(Distance distance) => distance switch
        {
            Distance.SameRegion => 0,
            Distance.SameProvider => CrossRegion,
            _ => Internet,
        };
    }

    private readonly record struct Outgoing(DataSpec Data, DataEnd End);
}
