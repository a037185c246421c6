using System.Text.RegularExpressions;

namespace Cairn.House.Tests;

public sealed partial class Names_say_what_a_thing_is
{
    [Fact]
    public void No_type_is_a_manager_helper_util_service_or_processor()
    {
        var offenders = Tree.SourceFiles()
            .SelectMany(path => BannedTypeName().Matches(File.ReadAllText(path)).Select(match => $"{path}: {match.Groups["name"].Value}"))
            .ToList();
        Assert.Empty(offenders);
    }

    [Fact]
    public void No_folder_sorts_code_by_its_kind()
    {
        string[] banned = ["Services", "Models", "Interfaces", "Helpers", "Utils", "Common", "Core", "Shared", "Infrastructure", "Domain", "Application"];
        var offenders = Tree.SourceFiles()
            .Select(path => Path.GetRelativePath(Tree.Root, path))
            .Where(path => path.Split(Path.DirectorySeparatorChar).SkipLast(1).Any(banned.Contains));
        Assert.Empty(offenders);
    }

    [Fact]
    public void No_code_hides_in_a_region()
    {
        var region = "#" + "region";
        Assert.DoesNotContain(Tree.SourceFiles(), path => File.ReadLines(path).Any(line => line.TrimStart().StartsWith(region, StringComparison.Ordinal)));
    }

    [GeneratedRegex(@"\b(class|record|struct|interface|enum)\s+(struct\s+|class\s+)?(?<name>\w*(Manager|Helpers?|Utils?|Utility|Service|Processor))\b(?!\w)")]
    private static partial Regex BannedTypeName();
}
