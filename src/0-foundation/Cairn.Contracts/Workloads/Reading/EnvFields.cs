using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>Environment variables and secrets, as a mapping or as a list.</summary>
internal static class EnvFields
{
    private const int MaxNameLength = 256;

    public static WorkloadSpec ReadEnv(WorkloadSpec workload, FieldValue value)
    {
        var env = new SortedDictionary<string, string>(workload.Env.ToDictionary(), StringComparer.Ordinal);
        var required = workload.RequiredEnv.ToList();
        var secrets = workload.Secrets.ToList();
        foreach (var (name, text, at) in Pairs(value))
        {
            if (!IsName(at, name))
                continue;
            env.Remove(name);
            required.Remove(name);
            if (text is null)
                required.Add(name);
            else if (IsSecret(at, name, text))
                secrets.Add(name);
            else
                env[name] = text;
        }

        return workload with { Env = env, RequiredEnv = Once(required), Secrets = Once(secrets) };
    }

    public static WorkloadSpec ReadSecrets(WorkloadSpec workload, FieldValue value)
    {
        var secrets = workload.Secrets.ToList();
        foreach (var (name, text, at) in Pairs(value))
        {
            if (text is not null)
                at.Error(DiagnosticCodes.InvalidValue,
                    $"the value of the secret '{Excerpt.Of(name)}' may not stand in the file; write only its name");
            else if (IsName(at, name))
                secrets.Add(name);
        }

        return workload with { Secrets = Once(secrets) };
    }

    /// <summary>Name, value or null where none is given, and where it stands.</summary>
    private static IEnumerable<(string Name, string? Text, FieldValue At)> Pairs(FieldValue value)
    {
        switch (value.Node)
        {
            case YamlMapping mapping:
                foreach (var entry in mapping.Entries)
                    yield return (entry.Key.Text, entry.Value is YamlScalar { IsNull: true }
                        ? null : value.Of(entry.Value).Text(), value.Of(entry.Key));
                break;
            case YamlSequence list:
                foreach (var item in list.Items)
                {
                    var word = value.Of(item).Text();
                    var equals = word.IndexOf('=');
                    yield return equals < 0 ? (word, null, value.Of(item)) : (word[..equals], word[(equals + 1)..], value.Of(item));
                }

                break;
            default:
                value.Expected("a mapping of names to values, or a list of names and NAME=value");
                break;
        }
    }

    /// <summary>POSIX's portable names of environment variables (IEEE Std 1003.1, 8.1), with lower-case letters.</summary>
    private static bool IsName(FieldValue at, string name)
    {
        var good = name.Length is > 0 and <= MaxNameLength && !char.IsAsciiDigit(name[0])
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_');
        if (!good)
            at.Error(
                DiagnosticCodes.InvalidValue,
                $"'{Excerpt.Of(name)}' is not a name of letters, digits and '_' that does not start with a digit");
        if (good && name.StartsWith("CAIRN_", StringComparison.Ordinal))
            at.Error(DiagnosticCodes.InvalidValue, $"'{Excerpt.Of(name)}': names that start with CAIRN_ are Cairn's own; choose another");
        return good;
    }

    /// <summary>dstack's <c>NAME: ${{ secrets.NAME }}</c>; every other interpolation stays as it is, with a warning.</summary>
    private static bool IsSecret(FieldValue at, string name, string text)
    {
        if (!text.Contains("${{", StringComparison.Ordinal))
            return false;
        var inner = text.Trim();
        inner = inner.StartsWith("${{", StringComparison.Ordinal)
            && inner.EndsWith("}}", StringComparison.Ordinal) ? inner[3..^2].Trim() : "";
        if (inner == "secrets." + name)
            return true;
        at.Warn(
            DiagnosticCodes.NotActedOn,
            "${{ … }} is not filled in; a secret is passed under its own name, and run can use shell variables");
        return false;
    }

    private static IReadOnlyList<string> Once(List<string> names) => [.. names.Distinct(StringComparer.Ordinal)];
}
