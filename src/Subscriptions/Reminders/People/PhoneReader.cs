using PhoneNumbers;

namespace Subscriptions.Reminders.People;

/// <summary>Phone numbers as people write them, in E.164.</summary>
/// <param name="region">ISO 3166 code of the country that numbers without one belong to; null understands international numbers only.</param>
internal sealed class PhoneReader(string? region)
{
    private const string UnknownRegion = "ZZ";
    private static readonly PhoneNumberUtil Util = PhoneNumberUtil.GetInstance();

    public static bool IsRegion(string code) => Util.GetSupportedRegions().Contains(code);

    /// <param name="isSaidToBe">The record calls it a mobile number; otherwise it has to look like one.</param>
    /// <returns>Null where no SMS can arrive there.</returns>
    public string? Mobile(string text, bool isSaidToBe)
    {
        try
        {
            var number = Util.Parse(text, region ?? UnknownRegion);
            if (!(isSaidToBe ? Util.IsPossibleNumber(number) : Util.IsValidNumber(number)))
            {
                return null;
            }
            return isSaidToBe || Util.GetNumberType(number) is PhoneNumberType.MOBILE or PhoneNumberType.FIXED_LINE_OR_MOBILE
                ? Util.Format(number, PhoneNumberFormat.E164)
                : null;
        }
        catch (NumberParseException)
        {
            return null;
        }
    }
}
