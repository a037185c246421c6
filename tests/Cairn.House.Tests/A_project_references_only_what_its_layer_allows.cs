using System.Xml.Linq;

namespace Cairn.House.Tests;

/// <summary>Holds the reference table of docs/architecture.md against every project file.</summary>
public sealed class A_project_references_only_what_its_layer_allows
{
    /// <summary>Project → the projects it may name, directly. What those name comes along.</summary>
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Cairn.Contracts"] = [],
        ["Cairn.State"] = ["Cairn.Contracts"],
        ["Cairn.Hardware"] = ["Cairn.Contracts"],
        ["Cairn.Planning"] = ["Cairn.Contracts"],
        ["Cairn.Fleet"] = ["Cairn.Contracts", "Cairn.State", "Cairn.Hardware", "Cairn.Planning"],
        ["Cairn.Node"] = ["Cairn.Contracts", "Cairn.Hardware"],
        ["Cairn.Frameworks"] = ["Cairn.Contracts"],
        ["Cairn.MLOps"] = ["Cairn.Contracts", "Cairn.Fleet"],
        ["Cairn.Serving"] = ["Cairn.Contracts", "Cairn.Fleet", "Cairn.Frameworks"],
        ["Cairn.Market"] = ["Cairn.Contracts", "Cairn.State"],
        ["Cairn.Agents"] = ["Cairn.Contracts", "Cairn.Serving", "Cairn.Market"],
        ["Cairn.Server"] =
        [
            "Cairn.Contracts", "Cairn.State", "Cairn.Hardware", "Cairn.Planning", "Cairn.Fleet", "Cairn.Node", "Cairn.Frameworks",
            "Cairn.MLOps", "Cairn.Serving", "Cairn.Market", "Cairn.Agents",
        ],
        ["Cairn.Cli"] =
        [
            "Cairn.Contracts", "Cairn.State", "Cairn.Hardware", "Cairn.Planning", "Cairn.Fleet", "Cairn.Node", "Cairn.Frameworks",
            "Cairn.MLOps", "Cairn.Serving", "Cairn.Market", "Cairn.Agents", "Cairn.Server",
        ],
    };

    [Fact]
    public void Every_project_is_in_the_table_and_keeps_to_it()
    {
        foreach (var path in Directory.EnumerateFiles(Path.Combine(Tree.Root, "src"), "*.csproj", SearchOption.AllDirectories))
        {
            var project = Path.GetFileNameWithoutExtension(path);
            Assert.True(s_allowed.TryGetValue(project, out var allowed), $"{project} is not in the table of docs/architecture.md");
            var references = XDocument.Load(path).Descendants("ProjectReference")
                .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/')));
            Assert.All(references, reference => Assert.True(allowed.Contains(reference), $"{project} must not reference {reference}"));
        }
    }
}
