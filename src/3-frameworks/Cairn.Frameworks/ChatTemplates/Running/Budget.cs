using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates.Running;

/// <summary>What one rendering may use up, so that no template runs or grows for ever.</summary>
internal sealed class Budget(CancellationToken cancellationToken)
{
    /// <summary>A million times a long conversation's need; about a second of work.</summary>
    public const long MostSteps = 5_000_000;

    /// <summary>Of the text, and of every value on the way to it. More than any model's context.</summary>
    public const int MostCharacters = 16 << 20;

    /// <summary>How many characters of a new text count as a step.</summary>
    private const int CharactersPerStep = 16;

    /// <summary>Macros within macros.</summary>
    public const int MostCalls = 100;
    private long _left = MostSteps;
    private int _calls;

    public void Step(long steps = 1)
    {
        if ((_left & 1023) < steps) cancellationToken.ThrowIfCancellationRequested();
        if ((_left -= steps) < 0) throw new TemplateFault($"the template works for more than {MostSteps} steps; it loops without end or far too long");
    }

    public string Text(string text)
    {
        if (text.Length > MostCharacters) throw new TemplateFault($"a text is longer than {MostCharacters} characters");
        Step(text.Length / CharactersPerStep);
        return text;
    }

    public void EnterCall()
    {
        if (++_calls > MostCalls) throw new TemplateFault($"macros call each other more than {MostCalls} deep");
    }

    public void LeaveCall() => _calls--;
}
