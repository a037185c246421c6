namespace Cairn.Cli.Demo;

/// <summary>A place that a node daemon of the demo plays.</summary>
/// <param name="Name">The node's name.</param>
/// <param name="Provider">A provider of the catalogue.</param>
/// <param name="Model">Its deployment model.</param>
/// <param name="Region">One of its regions.</param>
/// <param name="Country">Where that is.</param>
/// <param name="InstanceType">A machine of the catalogue, whose prices hold.</param>
/// <param name="Devices">The accelerators that are declared and not there.</param>
/// <param name="UsdPerHour">The catalogue's price of that many accelerators.</param>
internal sealed record DemoPlace(
    string Name, string Provider, string Model, string Region, string Country, string InstanceType, string Devices, decimal UsdPerHour)
{
    /// <summary>Command-line flags of the daemon that plays it.</summary>
    public IEnumerable<string> Flags() =>
    [
        "--name", Name, "--provider", Provider, "--pool", Model, "--model", Model, "--region", Region, "--country", Country, "--instance-type", InstanceType,
        "--price", UsdPerHour.ToString(System.Globalization.CultureInfo.InvariantCulture), "--simulate", Devices, "--play",
        "--trust", Model == "decentralized" ? "community" : "enterprise", "--works-offline", Model == "edge" ? "true" : "false",
    ];
}
