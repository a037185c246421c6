using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Cairn.Contracts.Frameworks;

namespace Cairn.Frameworks.Recipes.Training;

/// <summary>
/// What a framework reads to find its rank and its peers, as text with words in braces: <c>{rank}</c>, <c>{nodes}</c>, <c>{slots}</c> of a
/// node, <c>{processes}</c> of all nodes, <c>{master_addr}</c>, <c>{master_port}</c>, <c>{host_file}</c>, <c>{host}</c> of a line of that
/// file, and <c>{workers}</c>, a JSON list of address and port of every rank.
/// </summary>
public sealed record TrainingRecipe
{
    /// <summary>What a workload's <c>framework</c> says.</summary>
    public required string Name { get; init; }

    /// <summary>For people.</summary>
    public required string Title { get; init; }

    /// <summary>Where the framework says what it reads.</summary>
    public required string Source { get; init; }

    public required IReadOnlyList<(string Name, string Text)> Environment { get; init; }

    /// <summary>
    /// Set besides where all ranks are on this machine, and a library would guess an outward interface from the host's name.
    /// </summary>
    public IReadOnlyList<(string Name, string Text)> LoopbackEnvironment { get; init; } = [];

    /// <summary>The command that a program's name is put behind; empty where programs are started as they are.</summary>
    public string Launch { get; init; } = "";

    /// <summary>A line of the file of hosts.</summary>
    public string HostLine { get; init; } = "{host} slots={slots}";

    /// <summary>The recipe's text for one task.</summary>
    public FrameworkSetting For(TaskPlacement placement)
    {
        ArgumentNullException.ThrowIfNull(placement);
        if (placement.Rank < 0 || placement.Rank >= placement.Addresses.Count || placement.SlotsPerNode < 1)
            throw new ArgumentException(
                $"Rank {placement.Rank} of {placement.Addresses.Count} with {placement.SlotsPerNode} slots; expected a rank below the number "
                + "of addresses and at least one slot.", nameof(placement));
        var loopback = placement.Addresses.All(address => IPAddress.TryParse(address, out var ip) && IPAddress.IsLoopback(ip));
        var environment = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, text) in loopback ? Environment.Concat(LoopbackEnvironment) : Environment)
            environment[name] = Fill(text, placement);
        var line = Fill(HostLine, placement) + "\n";
        var hosts = string.Concat(placement.Addresses.Select(host => line.Replace("{host}", host, StringComparison.Ordinal)));
        return new FrameworkSetting(environment, Fill(Launch, placement), hosts);
    }

    private static string Fill(string text, TaskPlacement placement)
    {
        var nodes = placement.Addresses.Count;
        return new StringBuilder(text)
            .Replace("{rank}", Text(placement.Rank))
            .Replace("{nodes}", Text(nodes))
            .Replace("{slots}", Text(placement.SlotsPerNode))
            .Replace("{processes}", Text(nodes * placement.SlotsPerNode))
            .Replace("{master_addr}", placement.Addresses[0])
            .Replace("{master_port}", Text(placement.MasterPort))
            .Replace("{host_file}", placement.HostFile)
            .Replace("{workers}", Workers(placement))
            .ToString();
    }

    /// <summary>Every rank's address with a port; ranks that share a machine get ports one after another.</summary>
    private static string Workers(TaskPlacement placement)
    {
        var used = new Dictionary<string, int>(StringComparer.Ordinal);
        return JsonSerializer.Serialize(placement.Addresses.Select(address =>
        {
            var before = used.GetValueOrDefault(address);
            used[address] = before + 1;
            return address + ":" + Text(placement.MasterPort + before);
        }));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
