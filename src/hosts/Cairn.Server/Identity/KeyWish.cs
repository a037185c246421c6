using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Identity;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Limits;

namespace Cairn.Server.Identity;

/// <summary>Reads what people want of keys; pure. Every mistake at once.</summary>
internal static class KeyWish
{
    private const int MostModels = 100;
    private const int MostModelName = 256;
    private static readonly string[] s_limits = ["models", "requests_per_minute", "tokens_per_minute", "parallel_requests", "budget"];

    /// <summary>The row with what is named in place of what was.</summary>
    public static KeyRow Apply(KeyRow row, KeyLimitsView? wish, IReadOnlyList<string> unlimited, List<string> errors)
    {
        foreach (var name in unlimited.Where(name => !s_limits.Contains(name)))
            errors.Add($"unlimited names '{name}'; expected one of {string.Join(", ", s_limits)}.");
        row = row with
        {
            Models = unlimited.Contains("models") ? new([]) : row.Models,
            RequestsPerMinute = unlimited.Contains("requests_per_minute") ? null : row.RequestsPerMinute,
            TokensPerMinute = unlimited.Contains("tokens_per_minute") ? null : row.TokensPerMinute,
            ParallelRequests = unlimited.Contains("parallel_requests") ? null : row.ParallelRequests,
            Budget = unlimited.Contains("budget") ? null : row.Budget,
        };
        if (wish is not null)
        {
            CheckModels(wish.Models ?? [], errors);
            row = row with
            {
                Models = wish.Models is { } models ? new(models) : row.Models,
                RequestsPerMinute = wish.RequestsPerMinute ?? row.RequestsPerMinute,
                TokensPerMinute = wish.TokensPerMinute ?? row.TokensPerMinute,
                ParallelRequests = wish.ParallelRequests ?? row.ParallelRequests,
                Budget = wish.Budget ?? row.Budget,
                BudgetPeriod = wish.BudgetPeriod is { } period ? PeriodOf(period, errors) : row.BudgetPeriod,
            };
        }

        errors.AddRange(row.Limits().Problems());
        if (row.Budget is null && wish?.BudgetPeriod is not null)
            errors.Add($"budget_period is '{wish.BudgetPeriod}' without a budget; give the budget too.");
        return row;
    }

    /// <summary>The key that a new one is to be under; null where none is named or it may not be.</summary>
    public static KeyRow? FindParent(string? text, ProjectId project, Role role, Keyring keyring, List<string> errors)
    {
        if (text is null)
            return null;
        var found = keyring.Keys.Where(key => key.ProjectId == project && !key.Revoked && (key.Name == text || key.Id.ToString() == text)).ToList();
        if (found.Count != 1)
        {
            errors.Add(found.Count == 0 ? $"There is no live key '{text}' in the project for the new one to be under; `cairn keys` lists them."
                : $"{found.Count} keys are called '{text}'; give the id of the one that is meant.");
            return null;
        }

        var parent = found[0];
        if (!parent.MayCallModels())
            errors.Add($"The key '{parent.Name}' is a viewer, which calls no models; a key under it could not either.");
        if (role > parent.Role)
            errors.Add($"The key '{parent.Name}' is {EnumWords.Of(parent.Role)}; a key under it cannot be {EnumWords.Of(role)}.");
        var levels = keyring.Above(parent).Count() + 1;
        if (levels >= GatewayOptions.MostKeyLevels)
            errors.Add($"The key '{parent.Name}' is {levels} levels deep; expected at most {GatewayOptions.MostKeyLevels} levels of keys under keys.");
        return parent;
    }

    private static void CheckModels(IReadOnlyList<string> models, List<string> errors)
    {
        if (models.Count > MostModels)
            errors.Add($"{models.Count} models are named; expected at most {MostModels}. A name may end in * for all that begin so.");
        foreach (var model in models.Take(MostModels))
        {
            if (model is null || model.Length is 0 or > MostModelName || model.Any(char.IsControl) || (model.IndexOf('*') is var star and >= 0 && star != model.Length - 1))
                errors.Add($"'{model}' is not a model; expected a name of at most {MostModelName} characters, or its beginning and a * at the end.");
        }
    }

    private static BudgetPeriod PeriodOf(string text, List<string> errors)
    {
        if (EnumWords.Find<BudgetPeriod>(text) is { } period)
            return period;
        errors.Add($"budget_period is '{text}'; expected {string.Join(", ", EnumWords.All<BudgetPeriod>())}.");
        return BudgetPeriod.Total;
    }
}
