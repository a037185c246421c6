using Cairn.Contracts.Api;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Contracts.Wire;

namespace Cairn.Fleet.Nodes;

/// <summary>
/// Turns what a daemon sends of its machine into <see cref="NodeFacts"/>, or says everything that is wrong with it. Pure.
/// </summary>
internal static class NodeDeclaration
{
    private const int MaxText = 128;
    private const int MaxLabels = 64;
    private const int MaxDevices = 1024;

    /// <summary>Facts of a correct declaration; otherwise one problem that lists every fault.</summary>
    public static (NodeFacts? Facts, Problem? Problem) Read(Declaration declared, Inventory found)
    {
        var faults = new List<string>();
        CheckTexts(declared, found, faults);
        CheckNumbers(declared, found, faults);
        var model = Word(declared.DeploymentModel, DeploymentModel.OnPremises, "deployment_model", faults);
        var trust = Word(declared.Trust, TrustTier.Community, "trust", faults);
        var interconnect = Word(declared.Interconnect, InterconnectKind.None, "interconnect", faults);
        if (faults.Count > 0)
            return (null, new Problem(ProblemCodes.InvalidRequest, "the node's declaration is not usable: " + string.Join("; ", faults)));

        var pool = declared.Pool.Length > 0 ? declared.Pool : "default";
        var devices = found.Devices.OrderBy(d => d.Index)
            .Select(d => new NodeDevice(d.Index, d.Name, d.Vendor.ToLowerInvariant(), d.MemoryBytes, d.Simulated)).ToArray();
        var offered = Offered(devices);
        return (new NodeFacts
        {
            Pool = pool,
            Provider = declared.Provider.Length > 0 ? declared.Provider : pool,
            DeploymentModel = model,
            Region = new Region(
                declared.Region.Length > 0 ? declared.Region : "local", declared.Country.ToUpperInvariant(), Point(declared)),
            InstanceType = declared.InstanceType.Length > 0 ? declared.InstanceType : DescribeMachine(offered, found),
            Price = new HourlyPrice(declared.PriceMicrosPerHour),
            Labels = new SortedDictionary<string, string>(declared.Labels, StringComparer.Ordinal),
            Certifications = [.. declared.Certifications.Select(c => c.ToLowerInvariant()).Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal)],
            Trust = trust,
            WorksOffline = declared.WorksOffline,
            Preemptible = declared.Preemptible,
            Interconnect = interconnect,
            AvailabilityPercent = declared.AvailabilityPercent,
            Simulated = declared.Simulated || Array.Exists(devices, d => d.Simulated),
            Cpus = found.Cpus,
            MemoryBytes = found.MemoryBytes,
            DiskBytes = found.DiskBytes,
            Architecture = found.Architecture,
            Devices = devices,
            Accelerators = offered,
            Address = found.Address,
        }, null);
    }

    private static OfferAccelerators? Offered(NodeDevice[] devices) => devices
        .GroupBy(d => (d.Name, d.Vendor, d.MemoryBytes))
        .OrderByDescending(g => g.Count()).ThenByDescending(g => g.Key.MemoryBytes).ThenBy(g => g.Key.Name, StringComparer.Ordinal)
        .Select(g => new OfferAccelerators(g.Key.Name, g.Key.Vendor, g.Key.MemoryBytes, g.Count()))
        .FirstOrDefault();

    private static string DescribeMachine(OfferAccelerators? accelerators, Inventory found)
    {
        var size = FormattableString.Invariant($"cpu{Math.Floor(found.Cpus)}-{found.MemoryBytes >> 30}g");
        return accelerators is null ? size : $"{accelerators.Name}-x{accelerators.Count}";
    }

    private static GeoPoint? Point(Declaration declared) =>
        declared is { HasLatitude: true, HasLongitude: true } ? new GeoPoint(declared.Latitude, declared.Longitude) : null;

    private static void CheckTexts(Declaration declared, Inventory found, List<string> faults)
    {
        CheckText("name", declared.Name, faults);
        CheckText("pool", declared.Pool, faults);
        CheckText("provider", declared.Provider, faults);
        CheckText("region", declared.Region, faults);
        CheckText("instance_type", declared.InstanceType, faults);
        CheckText("address", found.Address, faults);
        CheckText("architecture", found.Architecture, faults);
        if (declared.Country.Length > 0 && !(declared.Country.Length == 2 && declared.Country.All(char.IsAsciiLetter)))
            faults.Add($"country is '{Short(declared.Country)}', expected two letters of ISO 3166-1 such as 'DE'");
        if (declared.Labels.Count > MaxLabels)
            faults.Add($"{declared.Labels.Count} labels, at most {MaxLabels}");
        foreach (var (key, value) in declared.Labels)
        {
            CheckText("a label", key, faults);
            CheckText($"label {Short(key)}", value, faults);
        }
        if (declared.Certifications.Count > MaxLabels)
            faults.Add($"{declared.Certifications.Count} certifications, at most {MaxLabels}");
        foreach (var certification in declared.Certifications)
            CheckText("a certification", certification, faults);
    }

    private static void CheckNumbers(Declaration declared, Inventory found, List<string> faults)
    {
        if (declared.PriceMicrosPerHour < 0)
            faults.Add($"price_micros_per_hour is {declared.PriceMicrosPerHour}, expected 0 or more");
        if (declared.HasLatitude && declared.Latitude is not (>= -90 and <= 90))
            faults.Add($"latitude is {declared.Latitude}, expected −90 to 90");
        if (declared.HasLongitude && declared.Longitude is not (>= -180 and <= 180))
            faults.Add($"longitude is {declared.Longitude}, expected −180 to 180");
        if (declared.AvailabilityPercent is not (>= 0 and <= 100))
            faults.Add($"availability_percent is {declared.AvailabilityPercent}, expected 0 to 100");
        if (found.Cpus is not (> 0 and <= 65_536))
            faults.Add($"cpus is {found.Cpus}, expected more than 0");
        if (found.MemoryBytes <= 0)
            faults.Add($"memory_bytes is {found.MemoryBytes}, expected more than 0");
        if (found.DiskBytes < 0)
            faults.Add($"disk_bytes is {found.DiskBytes}, expected 0 or more");
        if (found.Devices.Count > MaxDevices)
            faults.Add($"{found.Devices.Count} devices, at most {MaxDevices}");
        foreach (var device in found.Devices.Where(d => d.MemoryBytes < 0 || d.Index < 0 || d.Name.Length is 0 or > MaxText))
        {
            faults.Add($"device {device.Index} '{Short(device.Name)}' needs an index, " +
                $"a name of at most {MaxText} characters and a memory size of 0 or more");
        }
        if (found.Devices.DistinctBy(d => d.Index).Count() != found.Devices.Count)
            faults.Add("two devices have the same index");
    }

    private static void CheckText(string what, string text, List<string> faults)
    {
        if (text.Length > MaxText)
            faults.Add($"{what} has {text.Length} characters, at most {MaxText}");
        else if (text.Any(char.IsControl))
            faults.Add($"{what} contains a control character");
    }

    private static T Word<T>(string text, T whenEmpty, string what, List<string> faults) where T : struct, Enum
    {
        if (text.Length == 0)
            return whenEmpty;
        var plain = text.Replace("_", "", StringComparison.Ordinal);
        if (Enum.TryParse<T>(plain, ignoreCase: true, out var value) && Enum.IsDefined(value) && char.IsAsciiLetter(plain[0]))
            return value;
        faults.Add($"{what} is '{Short(text)}', expected one of {string.Join(", ", EnumWords.All<T>())}");
        return whenEmpty;
    }

    private static string Short(string text) => text.Length <= 40 ? text : text[..40] + "…";
}
