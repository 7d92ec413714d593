#pragma once
#define SOC_RTC_MEM_SUPPORTED 1
